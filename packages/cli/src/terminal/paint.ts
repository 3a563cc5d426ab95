// Colour, for a person at a terminal alone. https://no-color.org

/** Puts text into a colour, or leaves it. */
export type Paint = (text: string) => string

/** The few colours in use. */
export type Palette = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', Paint>>

/** What a stream says of itself; `hasColors` knows NO_COLOR, FORCE_COLOR and TERM. */
export type MaybeTerminal = Pick<NodeJS.WriteStream, 'isTTY'> & Partial<Pick<NodeJS.WriteStream, 'hasColors'>>

/** The colours of a stream: none when it is a file or a pipe, or when nobody wants them. */
export function paletteOf(stream: MaybeTerminal): Palette {
  const coloured = stream.isTTY === true && stream.hasColors?.() === true
  const code =
    (open: number, close: number): Paint =>
    (text) =>
      coloured && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  }
}
