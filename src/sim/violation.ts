// What a run that must fail fails with: the name of the rule that was broken, and how.

/** A rule was broken. */
export class Violation extends Error {
  override name = 'Violation'
  /** The name of the rule in the oracle's list. */
  readonly rule: string

  constructor(rule: string, text: string) {
    super(text)
    this.rule = rule
  }
}
