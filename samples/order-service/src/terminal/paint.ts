// Colour, for a person at a terminal alone. https://no-color.org

type Paint = (text: string) => string

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

const code =
  (open: number, close: number): Paint =>
  (text) =>
    coloured ? `\u001b[${open}m${text}\u001b[${close}m` : text

export const bold = code(1, 22)
export const dim = code(2, 22)
export const red = code(31, 39)
export const green = code(32, 39)
export const yellow = code(33, 39)
export const cyan = code(36, 39)
