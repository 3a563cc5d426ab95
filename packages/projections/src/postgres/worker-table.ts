// The table in which workers report.

export const createWorkers = `CREATE TABLE IF NOT EXISTS narrative_workers (
  projection text NOT NULL,
  worker text NOT NULL,
  state text NOT NULL,
  reason text,
  partitions integer NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (projection, worker)
)`
