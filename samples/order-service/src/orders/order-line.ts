// One line of an order, as customers send it and as events keep it.
import type { Fields } from '@narrative/core'
import { IsText, IsWhole } from './rules.js'

export class OrderLine {
  @IsText({ max: 100 }) readonly productId!: string

  @IsWhole({ from: 1 }) readonly quantity!: number

  /** In cents: whole numbers add up exactly. */
  @IsWhole({ from: 0, unit: ' of cents' }) readonly unitPrice!: number

  constructor(fields: Fields<OrderLine>) {
    Object.assign(this, fields)
  }
}
