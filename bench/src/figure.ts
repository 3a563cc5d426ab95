// One measured figure beside its reference: what `pnpm bench` prints, one JSON line each.

/** A figure as it is printed. */
export interface Figure {
  /** Dotted, from the group on: `append.fenced.1-caller.p50`. */
  readonly name: string
  readonly value: number
  /** Of both values: `ms`, `events/s`, `commands/s`. */
  readonly unit: string
  /** What it is measured against, in words. */
  readonly reference: string | null
  readonly referenceValue: number | null
  /** value / reference value. */
  readonly ratio: number | null
  /** What the ratio must be, such as `>= 0.6`; null when the figure only informs. */
  readonly target: Target | null
  readonly pass: boolean | null
}

/** A bound on the ratio. */
export type Target = `${'>=' | '<='} ${number}`

/** What a measurement knows. */
export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly reference?: string
  readonly referenceValue?: number
  readonly target?: Target
}

/** Completes a figure: rounds for readers, and judges by the unrounded values. */
export function toFigure({ name, value, unit, reference, referenceValue, target }: Measured): Figure {
  const ratio = referenceValue === undefined ? null : value / referenceValue
  return {
    name,
    value: round(value),
    unit,
    reference: reference ?? null,
    referenceValue: referenceValue === undefined ? null : round(referenceValue),
    ratio: ratio === null ? null : round(ratio),
    target: target ?? null,
    pass: target === undefined || ratio === null ? null : meets(ratio, target),
  }
}

function meets(ratio: number, target: Target): boolean {
  const bound = Number(target.slice(3))
  return target.startsWith('>=') ? ratio >= bound : ratio <= bound
}

/** Three significant digits below 1,000, whole numbers above. */
function round(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
}
