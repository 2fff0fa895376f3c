// What a run that must fail fails with: the name of the rule that was broken, as docs/invariants.md calls it, and how.
// Anything else that is thrown in a run is a finding too, without a name.

/** A rule was broken. */
export class Violation extends Error {
  override name = 'Violation'
  /** The name of the rule in docs/invariants.md. */
  readonly rule: string

  constructor(rule: string, text: string) {
    super(text)
    this.rule = rule
  }
}
