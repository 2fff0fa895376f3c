import assert from 'node:assert/strict'
import { test } from 'node:test'
import { referenceRecover } from '../../../src/finality/signing.ts'
import type { Roster } from '../../../src/lab/adversary/roster.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { AgreementOracle } from '../../../src/lab/oracle/agreement-oracle.ts'
import type { NaiveChain } from '../../../src/lab/oracle/naive-chain.ts'
import { NaiveVotes } from '../../../src/lab/oracle/naive-votes.ts'
import { TestValidators } from '../../finality/test-validators.ts'

/** Ada and Ben are honest, Cem and Dua lie. */
const committee = new TestValidators(4)
const roster = { isHonest: () => true, isHonestMember: (member: number) => member < 2 } as unknown as Roster
const oracle = new AgreementOracle(
  committee.genesis,
  {} as NaiveChain,
  new NaiveVotes(committee.genesis, referenceRecover),
  roster,
)
const alarm = (text: string) => () =>
  oracle.beforeEffect({ id: 'ada' } as SimNode, { type: 'alarm', text }, null)
const broken = (rule: string) => ({ name: 'Violation', rule })

test('an alarm that names an honest member breaks a rule of its own, and one that names liars only tells of the lie', () => {
  const text = 'finality has stopped: two certificates for decision 1'
  assert.throws(alarm(`${text}; proven to have lied: ben, cem`), broken('S4'))
  assert.throws(
    alarm(`${text}: signed by cem, ada, more than the 1 faulty validators that are tolerated`),
    broken('S4'),
  )
  assert.throws(alarm(`${text}; proven to have lied: cem, dua`), broken('C7'))
  assert.throws(alarm(text), broken('C7'))
  assert.doesNotThrow(alarm('the key of validator ben is in use at two peers'))
})
