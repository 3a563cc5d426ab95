// What the guides say of a projection with several tables.
import { projecting } from '@narrative/testing'
import { test } from 'vitest'
import { BoxOffice, CustomerRenamed, TicketReturned, TicketSold } from './several-tables.js'

test('a name reaches the tickets, whichever came first', async () => {
  // #region then-tables
  await projecting(BoxOffice)
    .events('ada', new CustomerRenamed('Ada'))
    .events('t1', new TicketSold('ada', 20))
    .events('t2', new TicketSold('ada', 30), new TicketReturned())
    .events('ada', new CustomerRenamed('Ada Lovelace'))
    .thenTables({
      tickets: [{ ticketId: 't1', customerId: 'ada', holder: 'Ada Lovelace', price: 20 }],
      customers: [{ customerId: 'ada', name: 'Ada Lovelace' }],
    })
  // #endregion
})
