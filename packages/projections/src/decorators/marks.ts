// The only thing this package's decorators do: leave marks on classes, by reflect-metadata. Read once, at start-up.
import 'reflect-metadata'
import type { Class } from '@narrative/core'
import type { FailurePolicy } from '../definition/failure-policy.js'
import type { ProjectionContext } from '../definition/projection-context.js'
import type { Source, SqlSchema, Tables, Workers } from '../definition/projection-definition.js'
import type { Table } from '../table/table.js'

/** Left by `@Projection`. */
export interface ProjectionMark {
  readonly name: string
  readonly from: readonly Source[]
  readonly table?: Table | undefined
  readonly tables?: Tables | undefined
  readonly key?: ((event: any, context: ProjectionContext) => unknown) | undefined
  readonly sql?: SqlSchema | undefined
  readonly onFailure?: Partial<FailurePolicy> | undefined
  readonly workers?: Workers | undefined
}

/** Left by `@EventHandler`. */
export interface HandlerMark {
  readonly method: string | symbol
  readonly eventClass: Class
  readonly rows?: ((event: any, context: ProjectionContext) => unknown) | undefined
}

/** Left by `@SideEffect`. */
export interface SideEffectMark {
  readonly method: string | symbol
}

const sideEffectsKey = 'narrative:projection-side-effects'
const projectionKey = 'narrative:projection'
const handlersKey = 'narrative:projection-event-handlers'
// The mark that core's EventHandler leaves: seen here only to say which import is the right one.
const aggregateHandlersKey = 'narrative:event-handlers'

export function markProjection(target: object, mark: ProjectionMark): void {
  Reflect.defineMetadata(projectionKey, mark, target)
}

export function projectionMark(target: object): ProjectionMark | undefined {
  return Reflect.getOwnMetadata(projectionKey, target) as ProjectionMark | undefined
}

export function markHandler(prototype: object, mark: HandlerMark): void {
  const own = (Reflect.getOwnMetadata(handlersKey, prototype.constructor) as HandlerMark[] | undefined) ?? []
  Reflect.defineMetadata(handlersKey, [...own, mark], prototype.constructor)
}

/** The handlers of a class and of those it extends. */
export function handlerMarks(target: object): readonly HandlerMark[] {
  return inherited<HandlerMark>(handlersKey, target)
}

export function markSideEffect(prototype: object, mark: SideEffectMark): void {
  const own = (Reflect.getOwnMetadata(sideEffectsKey, prototype.constructor) as SideEffectMark[] | undefined) ?? []
  Reflect.defineMetadata(sideEffectsKey, [...own, mark], prototype.constructor)
}

/** The side effects of a class and of those it extends. */
export function sideEffectMarks(target: object): readonly SideEffectMark[] {
  return inherited<SideEffectMark>(sideEffectsKey, target)
}

/** The methods that core's EventHandler marked. */
export function aggregateHandlerMethods(target: object): readonly string[] {
  return inherited<{ method: string | symbol }>(aggregateHandlersKey, target).map((mark) => String(mark.method))
}

function inherited<T>(key: string, target: object): T[] {
  const marks: T[] = []
  for (let c: object | null = target; c !== null && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
    marks.unshift(...((Reflect.getOwnMetadata(key, c) as T[] | undefined) ?? []))
  }
  return marks
}
