// The public API of @narrative/cli, name by name. Whatever is not listed here is not public.
export { type Config, defineConfig } from './configuration/define-config.js'
