// @nestjs/cqrs dispatching a command to its handler, with Nest's own module and injector.
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { CommandBus, CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs'

class Touch {
  constructor(readonly orderId: string) {}
}

@CommandHandler(Touch)
class TouchHandler implements ICommandHandler<Touch> {
  async execute(_command: Touch): Promise<void> {}
}

@Module({ imports: [CqrsModule.forRoot()], providers: [TouchHandler] })
class TouchModule {}

/** Starts the module; `dispatch` sends one command through its bus. */
export async function nestDispatch(): Promise<{ dispatch(orderId: string): Promise<void>; close(): Promise<void> }> {
  const context = await NestFactory.createApplicationContext(TouchModule, { logger: false })
  await context.init()
  const bus = context.get(CommandBus)
  return { dispatch: (orderId) => bus.execute(new Touch(orderId)), close: () => context.close() }
}
