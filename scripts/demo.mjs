// `pnpm demo [--once] [--kafka] [--port <number>]`: the order service, built by the script before, showing itself.
import '../samples/order-service/dist/demo.js'
