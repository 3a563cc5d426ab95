// A contract is plain data: any test runner can run it, and every adapter runs all of it unmodified.

/**
 * One thing that every adapter of a port does.
 *
 * @example
 * ```ts
 * for (const { name, run } of eventStoreContract) test(name, () => run(() => inMemoryEventStore()))
 * ```
 */
export interface ContractCase<Subject> {
  readonly name: string
  /**
   * Resolves when the adapter behaves, rejects with an AssertionError when it does not.
   *
   * @param fresh gives an adapter with nothing in it yet; called once
   */
  run(fresh: () => Subject | Promise<Subject>): Promise<void>
}
