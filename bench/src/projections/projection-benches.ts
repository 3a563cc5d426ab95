// The figures of the read side, a group each: together they take longer than one wants to wait.
import type { Bench } from '../bench.js'
import { besideEmmettBench } from './beside-emmett.js'
import { freeSqlBench } from './free-sql.js'
import { liveLagBench } from './live-lag.js'
import { rebuildMemoryBench } from './rebuild-memory.js'
import { tableRebuildBench } from './table-rebuild.js'

export const projectionBenches: readonly Bench[] = [
  tableRebuildBench('few-rows', 2_000),
  tableRebuildBench('many-rows', 200_000),
  besideEmmettBench,
  freeSqlBench,
  liveLagBench,
  rebuildMemoryBench,
]
