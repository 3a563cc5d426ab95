// A projection of two tables, for the guide to projections.
import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler as Evolve } from '@narrative/core'

@Event('ticket.sold')
export class TicketSold {
  constructor(
    readonly customerId: string,
    readonly price: number,
  ) {}
}

@Event('ticket.returned')
export class TicketReturned {}

@Event('customer.renamed')
export class CustomerRenamed {
  constructor(readonly name: string) {}
}

@Command('ticket.return')
export class ReturnTicket {
  @AggregateId() readonly ticketId!: string
}

@Command('customer.rename')
export class RenameCustomer {
  @AggregateId() readonly customerId!: string
  readonly name!: string
}

@Aggregate('ticket')
export class Ticket {
  @CommandHandler(ReturnTicket) return(_command: ReturnTicket) {
    return new TicketReturned()
  }
  @Evolve(TicketSold) onSold() {}
  @Evolve(TicketReturned) onReturned() {}
}

@Aggregate('customer')
export class Customer {
  @CommandHandler(RenameCustomer) rename({ name }: RenameCustomer) {
    return new CustomerRenamed(name)
  }
  @Evolve(CustomerRenamed) onRenamed() {}
}

// #region several
import {
  deleted,
  EventHandler,
  Projection,
  type ProjectionContext,
  type RowOf,
  table,
  where,
} from '@narrative/projections'

export const tickets = table('tickets', {
  key: 'ticketId',
  columns: { ticketId: 'text', customerId: 'text', holder: 'text', price: 'integer' },
  indexes: ['customerId'],
})
export const customers = table('customers', { key: 'customerId', columns: { customerId: 'text', name: 'text' } })
type TicketRow = RowOf<typeof tickets>
type CustomerRow = RowOf<typeof customers>

@Projection('box-office', { from: [Ticket, Customer], tables: { tickets, customers } })
export class BoxOffice {
  @EventHandler(TicketSold, ({ customerId }, { aggregateId }) => ({ tickets: aggregateId, customers: customerId }))
  sold(
    rows: { customers: CustomerRow | undefined },
    { customerId, price }: TicketSold,
    { aggregateId }: ProjectionContext,
  ) {
    return { tickets: { ticketId: aggregateId, customerId, holder: rows.customers?.name ?? '', price } }
  }

  @EventHandler(CustomerRenamed, (_event, { aggregateId }) => ({
    customers: aggregateId,
    tickets: where({ customerId: aggregateId }),
  }))
  renamed(rows: { tickets: readonly TicketRow[] }, { name }: CustomerRenamed, { aggregateId }: ProjectionContext) {
    return {
      customers: { customerId: aggregateId, name },
      tickets: rows.tickets.map((ticket) => ({ ...ticket, holder: name })),
    }
  }

  @EventHandler(TicketReturned, (_event, { aggregateId }) => ({ tickets: aggregateId }))
  returned(rows: { tickets: TicketRow | undefined }) {
    return { tickets: deleted(rows.tickets) }
  }
}
// #endregion
