// Validators that lie on purpose, for tests: each role is a way in which a member of a committee may break the rules.
// A role stands between the protocol, which is honest, and everybody else, and changes what is said.

/** The roles, by the names the command line knows. */
export const BYZANTINE_ROLES = ['silent', 'equivocate', 'delay', 'withhold', 'forge', 'replay'] as const

/** One way to lie. */
export type ByzantineRole = (typeof BYZANTINE_ROLES)[number]
