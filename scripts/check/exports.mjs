// The public API of each package is a written list, packages/<name>/exports.txt, equal to what the built package
// exports. A changed API shows in review as a changed list. `--write` writes the lists anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { conclude, packages } from './workspace.mjs'

const entries = packages.map(({ folder }) => `${folder}/dist/index.d.ts`).filter((file) => existsSync(file))
const program = ts.createProgram(entries, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  skipLibCheck: true,
  types: [],
})
const write = process.argv.includes('--write')
const faults = []
let count = 0

for (const { name, folder } of packages) {
  const declarations = `${folder}/dist/index.d.ts`
  const list = `${folder}/exports.txt`
  if (!existsSync(declarations)) {
    faults.push(`${name}: ${declarations} is missing; build first (pnpm build).`)
    continue
  }
  const index = readFileSync(`${folder}/src/index.ts`, 'utf8')
  if (/export\s+\*/.test(index)) faults.push(`${name}: src/index.ts has an "export *"; name what is public.`)

  const exported = describeExports(declarations)
  count += exported.length
  for (const { label, documented } of exported) {
    if (!documented) faults.push(`${name}: "${label}" has no doc comment.`)
  }

  const declared = exported.filter(({ isValue }) => isValue).map(({ symbolName }) => symbolName)
  const present = Object.keys(await import(pathToFileURL(`${folder}/dist/index.js`).href))
  compare(present, declared, (value) => `${name}: the declarations promise "${value}", the built code lacks it.`)
  compare(declared, present, (value) => `${name}: the built code exports "${value}", the declarations do not.`)

  const labels = exported.map(({ label }) => label)
  if (write) writeFileSync(list, `${labels.join('\n')}\n`)
  const written = existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : []
  compare(labels, written, (label) => `${name}: exports.txt lists "${label}", which is not exported.`)
  compare(written, labels, (label) => `${name}: "${label}" is exported but not in exports.txt.`)
}

if (faults.some((fault) => fault.includes('exports.txt'))) {
  faults.push('If the change to the API is meant: node scripts/check/exports.mjs --write, and a changeset.')
}
conclude(faults, `${count} exports in ${packages.length} packages, all listed and documented.`)
process.exit() // a package's imports may hold the process open

/** Calls `fault` with everything of `theirs` that `ours` lacks. */
function compare(ours, theirs, fault) {
  for (const item of theirs) if (!ours.includes(item)) faults.push(fault(item))
}

/** The exports of a declaration file, by kind and name. */
function describeExports(file) {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(file))
  if (module === undefined) return []
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const isValue = (symbol.flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(exported)
      return {
        symbolName: exported.name,
        label: `${kindOf(symbol, isValue)} ${exported.name}`,
        isValue,
        documented: symbol.getDocumentationComment(checker).length > 0,
      }
    })
    .sort((a, b) => (a.label < b.label ? -1 : 1))
}

/** True for `export { type X }` and `export type { X }`. */
function isTypeOnly(exported) {
  return (exported.declarations ?? []).some((declaration) => ts.isTypeOnlyExportDeclaration(declaration))
}

function kindOf(symbol, isValue) {
  if (!isValue) return 'type'
  if (symbol.flags & ts.SymbolFlags.Class) return 'class'
  if (symbol.flags & ts.SymbolFlags.Function) return 'function'
  return 'const'
}
