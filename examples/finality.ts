// Checks that a block is final with two files and no node: the genesis file of the network, and a proof that any node
// may have given (`quorate finality proof --out FILE`). Then the same where work alone decides: how deep is enough.

import { readFileSync } from 'node:fs'
import { confirmationsBelow, exactReversal, readFinalityProof, verifyFinalityProof } from 'quorate/finality'

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const genesis = read(process.argv[2] ?? './finality-genesis.json')
const proof = read(process.argv[3] ?? './finality-proof.json')

const result = verifyFinalityProof(genesis, proof)
if ('refused' in result) throw new Error(`this proves nothing: ${result.refused}`)
console.log(`block ${result.block} is final, signed by ${result.signers.join(', ')}`)

// One signature less is no quorum.
const { certificate, ...rest } = readFinalityProof(proof)
const fewer = { ...rest, certificate: { ...certificate, signatures: certificate.signatures.slice(1) } }
const refused = verifyFinalityProof(genesis, fewer)
console.log(`without its first signature: ${'refused' in refused ? refused.refused : 'final'}`)

// Proof of work gives no proof, but a probability: an attacker with a tenth of all hashes, a risk of 0.1 %.
const depth = confirmationsBelow(exactReversal, 0.1, { risk: 0.001, max: 10_000 })
console.log(`by work alone: ${depth} confirmations`)
