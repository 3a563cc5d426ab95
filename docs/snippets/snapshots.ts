// What the guide to aggregates shows of snapshots.
import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler, type Fields } from '@narrative/core'
import { IsInt, IsUUID } from 'class-validator'

@Command('meter.read')
export class ReadMeter {
  @AggregateId() @IsUUID() readonly meterId!: string
  @IsInt() readonly value!: number
  constructor(fields: Fields<ReadMeter>) {
    Object.assign(this, fields)
  }
}

@Event('meter.was-read')
export class MeterWasRead {
  constructor(readonly value: number) {}
}

// #region aggregate
@Aggregate('meter', { revision: 1, snapshotEvery: 100 })
export class Meter {
  private highest = 0

  @CommandHandler(ReadMeter)
  read({ value }: ReadMeter) {
    if (value < this.highest) throw new RangeError('A meter never runs backwards.')
    return new MeterWasRead(value)
  }

  @EventHandler(MeterWasRead)
  onRead({ value }: MeterWasRead) {
    this.highest = Math.max(this.highest, value)
  }
}
// #endregion

@Aggregate('histogram', { snapshotEvery: 100 })
export class Histogram {
  // #region methods
  private readonly counts = new Map<number, number>()

  toSnapshot() {
    return [...this.counts]
  }

  fromSnapshot(counts: [number, number][]) {
    for (const [value, count] of counts) this.counts.set(value, count)
  }
  // #endregion

  @CommandHandler(ReadMeter)
  read({ value }: ReadMeter) {
    return new MeterWasRead(value)
  }

  @EventHandler(MeterWasRead)
  onRead({ value }: MeterWasRead) {
    this.counts.set(value, (this.counts.get(value) ?? 0) + 1)
  }
}
