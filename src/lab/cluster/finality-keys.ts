// Where the finality layer keeps its records on a simulated disk, as the oracles read them and as amnesia wipes them.
// Written out here, for the oracles share as little as possible with what they check.

import { KEYS } from '../../replica/records.ts'

/** Before the key of every record of what a member voted. */
export const VOTE_RECORDS = `${KEYS.finality}vote/`
/** How far a member has voted, which nodes keep beside its key. */
export const VOTE_MARK = `${KEYS.finality}mark`
/** Before the key of every proof of a lie. */
export const EVIDENCE_RECORDS = `${KEYS.finality}evidence/`
/** Before the sequence number of every decision that nothing is to be done. */
export const EMPTY_DECISIONS = `${KEYS.finality}empty/`
