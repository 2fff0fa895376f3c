import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TransactionSerializable } from 'viem'
import { keccak256 as viemKeccak256, serializeTransaction as viemSerialize } from 'viem/utils'
import { intrinsicGas } from '../../src/chain/gas.ts'
import { decodeRlp, encodeRlp, type RlpItem, rlpInteger } from '../../src/chain/rlp.ts'
import { recoverSender, signDigest } from '../../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  SECP256K1_N,
  type Signature,
  signingHash,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  type TransactionFields,
  transactionSize,
} from '../../src/chain/transaction.ts'
import { checkTransaction } from '../../src/chain/transaction-rules.ts'
import { concatBytes, fromHex, type Hex, toHex } from '../../src/encoding/bytes.ts'
import type { BlockRules } from '../../src/execution/block-execution.ts'
import {
  ANY_SIGNATURE,
  accepted,
  addressNumber,
  exampleFields,
  exampleTransaction,
  RULES,
} from './examples.ts'

const U64_MAX = 2n ** 64n - 1n
const U256_MAX = 2n ** 256n - 1n

// ---- Worked examples ----

test("EIP-155's example has its signing hash, its signature, its bytes and its sender", () => {
  const fields = exampleFields({
    type: 'legacy',
    chainId: 1n,
    nonce: 9n,
    maxFeePerGas: 20n * 10n ** 9n,
    gasLimit: 21_000n,
    to: `0x${'35'.repeat(20)}`,
    value: 10n ** 18n,
  })
  assert.equal(
    toHex(signingHash(fields)),
    '0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
  )
  const raw = encodeTransaction(fields, signDigest(signingHash(fields), fromHex(`0x${'46'.repeat(32)}`)))
  assert.equal(
    toHex(raw),
    '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
  )
  assert.equal(recoverSender(accepted(decodeTransaction(raw))), '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
})

type Example1559 = readonly [
  nonce: bigint,
  value: bigint,
  gas: bigint,
  tip: bigint,
  fee: bigint,
  raw: Hex,
  id: Hex,
]

// The EIP-1559 vectors of @ethereumjs/tx, which Brave Wallet has too (eip1559_transaction_unittest.cc).
const EIP1559: readonly Example1559[] = [
  [
    0x333n,
    0x2933bc9n,
    0x8ae0n,
    0x1284dn,
    0x1d97cn,
    '0x02f86e048203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a00f924cb68412c8f1cfd74d9b581c71eeaf94fff6abdde3e5b02ca6b2931dcf47a07dd1c50027c3e31f8b565e25ce68a5072110f61fce5eee81b195dd51273c2f83',
    '0x2e564c87eb4b40e7f469b2eec5aa5d18b0b46a24e8bf0919439cfb0e8fcae446',
  ],
  [
    0x161n,
    0x3b08b33n,
    0x7f51n,
    0x97c2n,
    0x21467n,
    '0x02f86d048201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c080a08caf712f72489da6f1a634b651b4b1c7d9be7d1e8d05ea76c1eccee3bdfb86a5a06aecc106f588ce51e112f5e9ea7aba3e089dc7511718821d0e0cd52f52af4e45',
    '0xfc638a8bd28e117cc475935979b36f272cc792ee9adde78ed66df16a72a8cdba',
  ],
  [
    0x3d9n,
    0x1f06571n,
    0x10bbdn,
    0x10349n,
    0x213a1n,
    '0x02f86f048203d983010349830213a183010bbd94000000000000000000000000000000000000aaaa8401f0657180c001a08c03a86e85789ee9a1b42fa0a86d316fca262694f8c198df11f194678c2c2d35a028f8e7de02b35014a17b6d28ff8c7e7be6860e7265ac162fb721f1aeae75643c',
    '0x8b83d04ac346cad8cb062ec81133cede02c103c34b7776e591b430725aa5b0db',
  ],
  [
    0x2c5n,
    0x62d8dbn,
    0x6eafn,
    0x150ecn,
    0x171acn,
    '0x02f86d048202c5830150ec830171ac826eaf94000000000000000000000000000000000000aaaa8362d8db80c001a0a61a5710512f346c9996377f7b564ccb64c73a5fdb615499adb1250498f3e01aa002d10429572cecfaa911a58bbe05f2b26e4c3aee3402202153a93692849add11',
    '0xa9361a1b88883848872a9140da45e4ef7a029d3699c5703e164414a00536029c',
  ],
]
const EIP1559_KEY = fromHex('0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63')
for (const [nonce, value, gasLimit, tip, fee, raw, id] of EIP1559) {
  test(`the EIP-1559 vector with nonce ${nonce} has its bytes and its id`, () => {
    const fields = exampleFields({
      chainId: 4n,
      nonce,
      value,
      gasLimit,
      maxPriorityFeePerGas: tip,
      maxFeePerGas: fee,
      to: '0x000000000000000000000000000000000000aaaa',
    })
    const encoded = encodeTransaction(fields, signDigest(signingHash(fields), EIP1559_KEY))
    assert.equal(toHex(encoded), raw)
    const tx = accepted(decodeTransaction(fromHex(raw)))
    assert.equal(tx.id, id)
    assert.deepEqual({ ...tx, ...fields }, tx)
  })
}

test('the EIP-1559 vector with an access list has its signature and its sender', () => {
  const fields = exampleFields({
    chainId: 1n,
    maxPriorityFeePerGas: 1n,
    maxFeePerGas: 1n,
    gasLimit: 0x02625a00n,
    to: `0x${'cc'.repeat(20)}`,
    value: 0x0186a0n,
    data: fromHex(`0x1a8451e6${'00'.repeat(64)}`),
    accessList: [
      {
        address: addressNumber(0x101),
        storageKeys: [`0x${'00'.repeat(32)}`, `0x${'60a7'.padStart(64, '0')}`],
      },
    ],
  })
  const signature: Signature = {
    yParity: 1,
    r: 0xafb6e247b1c490e284053c87ab5f6b59e219d51f743f7a4d83e400782bc7e4b9n,
    s: 0x479a268e0e0acd4de3f1e28e4fac2a6b32a4195e8dfa9d19147abe8807aa6f64n,
  }
  const tx = accepted(decodeTransaction(encodeTransaction(fields, signature)))
  assert.deepEqual({ ...tx, ...fields, ...signature }, tx)
})

// ---- ethereum/tests, TransactionTests ----

/** Ethereum's main net, but for its block gas limit, which these tests don't know. */
const MAIN_NET: BlockRules = { ...RULES, chainId: 1n, gasLimit: U64_MAX }

/** The sender of a transaction that has a place on the main net, or why it has none. */
function judge(raw: Uint8Array): string {
  const tx = decodeTransaction(raw)
  if (typeof tx === 'string') return tx
  return checkTransaction(MAIN_NET, tx) ?? recoverSender(tx) ?? 'tx-signature-invalid'
}

const R1 = '48b55bfa915ac795c431978d8a6a992b628d557da5ff759b307d495a36649353'
const R2 = '98ff921201554726367d2be8c804a7ff89ccf285ebc57dff8ae4c44b9c19ac4a'
const S1 = '1fffd310ac743f371de3b9f7f9cb56c0b28ad43601b4ab949f53faa07bd2c804'
const S2 = '1887321be575c8095f789dd4c743dfe42c1820f9231f98a962b210e3ac2452a3'
const TO = '94095e7baea6a6c7c4c2dfeb977efac326af552d87'
const FULL = 'ff'.repeat(32)
const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const BEFORE_ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140'

// TransactionTests/EIP155/ttTransactionTestVRule.json (2017): the categories ttAddress, ttData, ttGasLimit,
// ttGasPrice, ttNonce, ttRSValue, ttSignature, ttValue, ttVValue and ttWrongRLP of later years, all with EIP-155's v.
// Where a later EIP made a transaction invalid that was valid then, it is named.
const V_RULE: readonly [name: string, raw: string, outcome: string][] = [
  ['AddressLessThan20', `f8528001825208870b9331677e6ebf0a8026a0${R2}a0${S2}`, 'tx-malformed'],
  [
    'AddressLessThan20Prefixed0',
    `f85f800182520894000000000000000000000000000b9331677e6ebf0a8026a0${R2}a02887321be575c8095f789dd4c743dfe42c1820f9231f98a962b210e3ac2452a3`,
    '0xd204d104fd106428498704a699cc43090db733ed',
  ],
  [
    'AddressMoreThan20',
    `f860800182520895b94f5374fce5edbc8e2a8697c15331677e6ebf0b1c0a8026a0${R2}a0${S2}`,
    'tx-malformed',
  ],
  [
    'AddressMoreThan20PrefixedBy0',
    `f867367b8252089c0000000000000000095e7baea6a6c7c4c2dfeb977efac326af552d870b1225a0${R1}a0${S2}`,
    'tx-malformed',
  ],
  [
    'DataTestEnoughGAS',
    `f86d80018259d8${TO}0a8e0358ac39584bc98a7c979f984b0325a0${R1}a0${S1}`,
    '0xbb9bae7f623ce877bddf6cd0a81baa08f19ead8b',
  ],
  [
    'DataTestFirstZeroBytes',
    `f87c80018261a8${TO}0a9d000000000000000000000000000100000000000000000000000000000026a0${R1}a0${S1}`,
    '0x2cfae4703c0ddb70605c514c2f5d9d7dfcad96b6',
  ],
  [
    'DataTestLastZeroBytes',
    `f87c80018261a8${TO}0a9d010000000000000000000000000000000000000000000000000000000025a0${R1}a0${S1}`,
    '0xed9466e3e0034cd4ab0f03d219152fd431a41c3b',
  ],
  [
    'DataTestNotEnoughGAS',
    `f86d800182521c${TO}0a8e0358ac39584bc98a7c979f984b0326a0${R1}a0${S2}`,
    'tx-gas-below-intrinsic',
  ],
  [
    'DataTestZeroBytes',
    `f87c80018261a8${TO}0a9d000000000000000000000000000000000000000000000000000000000026a0${R1}a0${S1}`,
    '0xec3384dee0d5bac4163635cdd31289d6f0920bc5',
  ],
  ['EmptyTransaction', `f85d808080${TO}808025a0${R1}a0${S2}`, 'tx-gas-below-intrinsic'],
  [
    'NotEnoughGasLimit',
    `f85f0301824e2094b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8026a0${R2}a0${S2}`,
    'tx-gas-below-intrinsic',
  ],
  [
    'RSsecp256k1',
    `f85f030182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8026a0${ORDER}a0${ORDER}`,
    'tx-signature-out-of-range',
  ],
  [
    'RightVRSTest',
    `f85f030182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8026a0${R2}a0${S2}`,
    '0xa498686d147f218089fc81cec973dea1cb01ef00',
  ],
  ['SenderTest', `f85f8001825208${TO}0a8025a0${R1}a0${S1}`, '0xd2e069655a831ea8f80b402c9e6dbcb7b526bd44'],
  [
    'TransactionWithGasLimitOverflow',
    `f87e8001a101${'00'.repeat(32)}${TO}0b8026a0${R1}a0${S2}`,
    'tx-malformed',
  ],
  [
    'TransactionWithGasLimitOverflow63',
    `f8658001888000000000000000${TO}0b8025a0${R1}a0${S2}`,
    '0xa63ef76db6b15ffefb0f8c032f28183321989e7c',
  ],
  [
    'TransactionWithGasLimitOverflow63_1',
    `f8658001888000000000000001${TO}0b8025a0${R1}a0${S2}`,
    '0x71a3ce808f414abb864415a2712094db80904198',
  ],
  [
    'TransactionWithGasLimitxPriceOverflow (invalid since: the product overflows)',
    `f8858088016345785d8a0000a0${FULL}${TO}808026a0${R1}a0${S2}`,
    'tx-fee-overflow',
  ],
  [
    'TransactionWithGasLimitxPriceOverflow2',
    `f86780873b9403b9403b5c83989680${TO}808025a0${R2}a0${S2}`,
    '0x3568da1a203ea7e6b73ccfbb1696fad2ddfe5243',
  ],
  [
    'TransactionWithGasPriceOverflow',
    `f88080a101${'00'.repeat(32)}825208${TO}0b8025a0${R1}a0${S2}`,
    'tx-malformed',
  ],
  [
    'TransactionWithHighValueOverflow',
    `f8808001825208${TO}a101${'00'.repeat(32)}8026a0${R1}a0${S2}`,
    'tx-malformed',
  ],
  [
    'TransactionWithHihghGasLimit63m1',
    `f8658001887fffffffffffffff${TO}808025a0${R2}a0${S2}`,
    '0xbc3ed33da0fb6d392781b29e2b33135e944ffe16',
  ],
  [
    'TransactionWithHihghGasPrice (invalid since: the product overflows)',
    `f87f80a0${FULL}825208${TO}808026a0${R2}a0${S2}`,
    'tx-fee-overflow',
  ],
  [
    'TransactionWithHihghGasPrice2',
    `f865808698852840a46f82d6d8${TO}808025a0${R2}a0${S2}`,
    '0x2ea991808ba979ba103147edfd72304ebd95c028',
  ],
  [
    'TransactionWithHihghNonce256 (invalid since EIP-2681)',
    `f87fa0${FULL}01825208${TO}808026a0${R1}a0${S1}`,
    'tx-nonce-too-large',
  ],
  [
    'TransactionWithHihghNonce32',
    `f86485010000000001825208${TO}808025a0${R1}a0${S1}`,
    '0xc7c52aa0937af05c26178068e6c9bff28507c65a',
  ],
  [
    'TransactionWithHihghValue',
    `f87f8001825208${TO}a0${FULL}8025a0${R1}a0${S1}`,
    '0x0ed21e574a49800f4b3dba646d8ea38c2d64a1ff',
  ],
  [
    'TransactionWithNonceOverflow',
    `f880a101${'00'.repeat(32)}01825208${TO}0b8026a0${R1}a0${S2}`,
    'tx-malformed',
  ],
  ['TransactionWithRSvalue0', `df8001825208${TO}0b80258080`, 'tx-signature-out-of-range'],
  ['TransactionWithRSvalue1', `df8001825208${TO}0b80260101`, '0x34d858a9b020920858646624388d432bc407aa23'],
  ['TransactionWithRvalue0', `f83f8001825208${TO}0b802680a0${S2}`, 'tx-signature-out-of-range'],
  [
    'TransactionWithRvalue1',
    `f83f8001825208${TO}0b802501a0${S1}`,
    '0x77316e07ab2795f2419574b058732cdc7e770fd4',
  ],
  ['TransactionWithRvalueHigh', `f85f8001825208${TO}0b8025a0${BEFORE_ORDER}a0${S2}`, 'tx-signature-invalid'],
  [
    'TransactionWithRvalueOverflow',
    `f8618001825208${TO}0b8026a2${ORDER}0000a0efffd310ac743f371de3b9f7f9cb56c0b28ad43601b4ab949f53faa07bd2c804`,
    'tx-malformed',
  ],
  [
    'TransactionWithRvaluePrefixed00',
    `f8508001825208${TO}0b8026910ebaaedce6af48a03bbfd25e8cd0364141a0${S1}`,
    '0x638e0cc2ce0fd0482f7039ea01a6203fe1c7f8f6',
  ],
  ['TransactionWithRvalueTooHigh', `f85f8001825208${TO}0b8025a0${ORDER}a0${S2}`, 'tx-signature-out-of-range'],
  ['TransactionWithSvalue0', `f83f8001825208${TO}0b8026a0${R1}80`, 'tx-signature-out-of-range'],
  [
    'TransactionWithSvalue1',
    `f83f8001825208${TO}0b8025a0${R1}01`,
    '0xa85c3f0baf13c5736b7bbdfe419e517d732e47c6',
  ],
  [
    'TransactionWithSvalueEqual_c_secp256k1n_x05',
    `f85f8001825208${TO}0b8026a0${R1}a07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0`,
    '0x3cc9d66a6a81b7c614ca5cf7ed62a932e1463d8d',
  ],
  ['TransactionWithSvalueHigh', `f85f8001825208${TO}0b8025a0${R1}a0${BEFORE_ORDER}`, 'tx-signature-high-s'],
  [
    'TransactionWithSvalueLargerThan_c_secp256k1n_x05',
    `f85f8001825208${TO}0b8025a0${R1}a07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1`,
    'tx-signature-high-s',
  ],
  [
    'TransactionWithSvalueLessThan_c_secp256k1n_x05',
    `f85f8001825208${TO}0b8025a0${R1}a07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b2090`,
    '0x4f6dec67d2ab10d076a30e51a9eec998ff484d44',
  ],
  [
    'TransactionWithSvalueOverflow',
    `f8618001825208${TO}0b8025a0${R1}a2fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f0000`,
    'tx-malformed',
  ],
  [
    'TransactionWithSvaluePrefixed00',
    `f8518001825208${TO}0b8025a0${R2}920ef0b28ad43601b4ab949f53faa07bd2c804`,
    '0x91c920e7b8a806bd0e96a8a0b2e27c8bd0fa201d',
  ],
  ['TransactionWithSvalueTooHigh', `f85f8001825208${TO}0b8026a0${R1}a0${ORDER}`, 'tx-signature-out-of-range'],
  ['TransactionWithTooFewRLPElements', `f85b8001${TO}8026a0${R1}a0${S2}`, 'tx-malformed'],
  [
    'TransactionWithTooManyRLPElements',
    `f8658001825208${TO}0a8025a0${R1}a0${S2}851de98d0edd`,
    'tx-malformed',
  ],
  [
    'WrongVRSTestIncorrectSize',
    `f861800182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8026a2${R2}02c3a0${S2}`,
    'tx-malformed',
  ],
  [
    'WrongVRSTestVEqual36',
    `f85f800182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8024a0${R2}a0${S2}`,
    'tx-wrong-chain',
  ],
  [
    'WrongVRSTestVEqual39',
    `f85f800182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8027a0${R2}a0${S2}`,
    'tx-wrong-chain',
  ],
  [
    'WrongVRSTestVEqual41',
    `f85f800182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a8029a0${R2}a0${S2}`,
    'tx-wrong-chain',
  ],
  [
    'invalidSignature',
    `f8638080830f4240${TO}830186a08025a0${FULL}a0badf00d70ec28c94a3b55ec771bcbc70778d6ee0b51ca7ea9514594c861b1884`,
    'tx-signature-out-of-range',
  ],
  ['libsecp256k1test (valid there)', 'd1808609184e72a00082f388808080252c04', 'tx-creates-contract'],
  [
    'unpadedRValue',
    'f8880d8609184e72a00082f710947c47ef93268a311f4cad0c750724299e9b72c26880a4379607f50000000000000000000000000000000000000000000000000000000000000005269f6ab6dda9f4df56ea45583af36660329147f1753f3724ea5eb9ed83e812ca77a0495701e230667832c8999e884e366a61028633ecf951e8cd66d119f381ae5718',
    '0x6a5e65d08dbe3cce190121907013693003993dc4',
  ],
]
for (const [name, raw, outcome] of V_RULE) {
  test(`ttTransactionTestVRule ${name}: ${outcome}`, () => assert.equal(judge(fromHex(`0x${raw}`)), outcome))
}

// TransactionTests/EIP155/ttTransactionTestEip155VitaliksTests.json (Vitalik_12 … 14 are unprotected, 15 … 17 of
// another chain): raw bytes, sender, id.
const VITALIKS: readonly [name: string, raw: string, sender: string, id: string | null][] = [
  [
    'Vitalik_1',
    'f864808504a817c800825208943535353535353535353535353535353535353535808025a0044852b2a670ade5407e78fb2863c51de9fcb96542a07186fe3aeda6bb8a116da0044852b2a670ade5407e78fb2863c51de9fcb96542a07186fe3aeda6bb8a116d',
    '0xf0f6f18bca1b28cd68e4357452947e021241e9ce',
    '0xb1e2188bc490908a78184e4818dca53684167507417fdb4c09c2d64d32a9896a',
  ],
  [
    'Vitalik_2',
    'f864018504a817c80182a410943535353535353535353535353535353535353535018025a0489efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bcaa0489efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6',
    '0x23ef145a395ea3fa3deb533b8a9e1b4c6c25d112',
    '0xe62703f43b6f10d42b520941898bf710ebb66dba9df81702702b6d9bf23fef1b',
  ],
  [
    'Vitalik_3',
    'f864028504a817c80282f618943535353535353535353535353535353535353535088025a02d7c5bef027816a800da1736444fb58a807ef4c9603b7848673f7e3a68eb14a5a02d7c5bef027816a800da1736444fb58a807ef4c9603b7848673f7e3a68eb14a5',
    '0x2e485e0c23b4c3c542628a5f672eeab0ad4888be',
    '0x1f621d7d8804723ab6fec606e504cc893ad4fe4a545d45f499caaf16a61d86dd',
  ],
  [
    'Vitalik_8',
    'f866068504a817c80683023e3894353535353535353535353535353535353535353581d88025a06455bf8ea6e7463a1046a0b52804526e119b4bf5136279614e0b1e8e296a4e2fa06455bf8ea6e7463a1046a0b52804526e119b4bf5136279614e0b1e8e296a4e2d',
    '0xf1f571dc362a0e5b2696b8e775f8491d3e50de35',
    '0x4ed0b4b20536cce62389c6b95ff6a517489b6045efdefeabb4ecf8707d99e15d',
  ],
  [
    'Vitalik_11',
    'f867098504a817c809830334509435353535353535353535353535353535353535358202d98025a052f8f61201b2b11a78d6e866abc9c3db2ae8631fa656bfe5cb53668255367afba052f8f61201b2b11a78d6e866abc9c3db2ae8631fa656bfe5cb53668255367afb',
    '0x3c24d7329e92f84f08556ceb6df1cdb0104ca49f',
    '0xf39c7dac06a9f3abf09faf5e30439a349d3717611b3ed337cd52b0d192bc72da',
  ],
  [
    'Vitalik_12',
    'f8610e80830493e080809560f2ff61000080610011600039610011565b6000f31ca0a310f4d0b26207db76ba4e1e6e7cf1857ee3aa8559bcbc399a6b09bfea2d30b4a06dff38c645a1486651a717ddf3daccb4fd9a630871ecea0758ddfcf2774f9bc6',
    'tx-unprotected',
    null,
  ],
  [
    'Vitalik_13',
    'f8660f80830493e09400000000000000000000000000000000000000c08086646f6e6b65791ba09f00c6da4f2e4b5f3316e70c7669f9df71fa21d533afa63450065731132ba7b6a03886c27a8b3515ab9e2e04492f8214718621421e92d3b6954d9e3fb409ead788',
    'tx-unprotected',
    null,
  ],
  [
    'Vitalik_15',
    'f8651280830493e094000000000000000000000000000000000000000180856d6f6f736529a0376d0277dd3a2a9229dbcb5530b532c7e4cb0f821e0ca27d9acb940970d500d8a00ab2798f9d9c2f7551eb29d56878f8e342b45ca45f413b0fcba793d094f36f2b',
    'tx-wrong-chain',
    null,
  ],
  [
    'Vitalik_16',
    'f8651380830493e094000000000000000000000000000000000000001280856d6f6f73652aa0d0e340578f9d733986f6a55c5401953c90f7ccd46fe72d5588592dd9cbdf1e03a001d8d63149bd986f363084ac064e8387850d80e5238cc16ed4d30fd0a5af7261',
    'tx-wrong-chain',
    null,
  ],
]
for (const [name, raw, outcome, id] of VITALIKS) {
  test(`${name}: ${outcome}`, () => {
    assert.equal(judge(fromHex(`0x${raw}`)), outcome)
    if (id !== null) assert.equal(accepted(decodeTransaction(fromHex(`0x${raw}`))).id, id)
  })
}

const VRS_1559 =
  '80a05cbd172231fc0735e0fb994dd5b1a4939170a260b36f0427a8a80866b063b948a07c230f7f578dd61785c93361b9871c0706ebfa6d06e3f4491dc9558c5202ed36'
const TAIL_1559 = `825208${TO}8080c0${VRS_1559}`
const TAIL_VALUE = '94b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a80'

// TransactionTests/ttEIP1559, ttEIP2930 and ttVValue (2022 to 2024), by their names.
const LATER: readonly [name: string, raw: string, outcome: string][] = [
  [
    'GasLimitPriceProductOverflow',
    `02f885018084773594009f03${'ff'.repeat(30)}${TAIL_1559}`,
    'tx-fee-overflow',
  ],
  [
    'GasLimitPriceProductOverflowtMinusOne',
    `02f885018084773594009f02${'ff'.repeat(30)}${TAIL_1559}`,
    '0xae2aec498d20869d441eaaf708fb1e375ae1787d',
  ],
  [
    'GasLimitPriceProductPlusOneOverflow',
    `02f885018084773594009f04${'ff'.repeat(30)}${TAIL_1559}`,
    'tx-fee-overflow',
  ],
  ['maxFeePerGas00prefix', `02f88701808477359400a100${FULL}${TAIL_1559}`, 'tx-malformed'],
  ['maxFeePerGas32BytesValue', `02f88601808477359400a0${FULL}${TAIL_1559}`, 'tx-fee-overflow'],
  ['maxFeePerGasOverflow', `02f88701808477359400a101${'00'.repeat(32)}${TAIL_1559}`, 'tx-malformed'],
  ['maxPriorityFeePerGas00prefix', `02f8870180a100${FULL}84b2d05e00${TAIL_1559}`, 'tx-malformed'],
  ['maxPriorityFeePerGasOverflow', `02f8870180a101${'00'.repeat(32)}84b2d05e00${TAIL_1559}`, 'tx-malformed'],
  ['maxPriorityFeePerGass32BytesValue', `02f8860180a0${FULL}84b2d05e00${TAIL_1559}`, 'tx-tip-above-fee'],
  [
    'maxPriorityFeePerGas00prefixPriorityFeeGreaterThanBaseFee',
    `02f8a001809f${'ff'.repeat(31)}9f${'ff'.repeat(30)}fe${TAIL_1559}`,
    'tx-fee-overflow',
  ],
  [
    'accessListStorage32Bytes (valid there; this chain has no type 1)',
    `01f89a018001826a40${TO}8080f838f794a95e7baea6a6c7c4c2dfeb977efac326af552d87e1a0${FULL}${VRS_1559}`,
    'tx-type-unknown',
  ],
  [
    'V_equals37',
    `f865808698852840a46f82d6d8${TO}808025a0${R2}a0${S2}`,
    '0x2ea991808ba979ba103147edfd72304ebd95c028',
  ],
  [
    'V_overflow64bitSigned',
    `f867030182520894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a80887fffffffffffffffa0${R2}a07778cde41a8a37f6a087622b38bc201bd3e7df06dce067569d4def1b53dba98c`,
    'tx-wrong-chain',
  ],
  ['ValidChainID1InvalidV01', `f8610301825208${TAIL_VALUE}820026a0${R2}a0${S2}`, 'tx-malformed'],
  [
    'ValidChainID1ValidV1',
    `f85f0301825208${TAIL_VALUE}26a0${R2}a0${S2}`,
    '0xa498686d147f218089fc81cec973dea1cb01ef00',
  ],
  ['InvalidChainID0ValidV1', `f85f0301825208${TAIL_VALUE}24a0${R2}a0${S2}`, 'tx-wrong-chain'],
]
for (const [name, raw, outcome] of LATER) {
  test(`TransactionTests ${name}: ${outcome}`, () => assert.equal(judge(fromHex(`0x${raw}`)), outcome))
}

const S_1 = 'a0efffd310ac743f371de3b9f7f9cb56c0b28ad43601b4ab949f53faa07bd2c804'
const S_2 = 'a08887321be575c8095f789dd4c743dfe42c1820f9231f98a962b210e3ac2452a3'
const TO_2 = '94b94f5374fce5edbc8e2a8697c15331677e6ebf0b'

// TransactionTests/ttWrongRLPTransaction.json (2015), with v as EIP-155 has it (25 for 1b, 26 for 1c), so that it is
// the fault in the name that they are refused for.
const WRONG_RLP: readonly [name: string, raw: string][] = [
  ['RLPNonceWithFirstZeros', `f863840000000301820352${TO}0a8025a0${R1}${S_1}`],
  ['RLPgasPriceWithFirstZeros', `f8628083000001820352${TO}0a8025a0${R1}${S_1}`],
  ['RLPgasLimitWithFirstZeros', `f8628001850000000948${TO}0a8025a0${R1}${S_1}`],
  ['RLPValueWithFirstZeros', `f8618001820352${TO}82000a8025a0${R1}${S_1}`],
  ['RLPAddressWithFirstZeros', `f860800182094895${'00'}${TO.slice(2)}0a8025a0${R1}${S_1}`],
  [
    'RLPAddressWrongSize',
    `f866830ffdc50183adc05390fce5edbc8e2a8697c15331677e6ebf0b870ffdc5fffdc12c8026a0${R2}${S_2}`,
  ],
  ['RLPExtraRandomByteAtTheEnd', `f85280018207d0870b9331677e6ebf0a8026a0${R2}${S_2}3ac4`],
  ['RLPTransactionGivenAsArray', `b85f8001820352${TO}0a8025a0${R1}${S_1}`],
  ['RLPElementIsListWhenItShouldntBe', `f8698001cc83646f6783676f6483636174${TO}0a8025a0${R1}${S_1}`],
  ['RLPElementIsListWhenItShouldntBe2', `f86bcc83646f6783676f648363617401820352${TO}0a8025a0${R1}${S_1}`],
  ['TRANSCT_HeaderLargerThanRLP_0', `f86f03018207d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_HeaderGivenAsArray_0', `b86103018207d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_data_GivenAsList', `f86103018207d0${TO_2}0ac2554426a0${R2}${S_2}`],
  ['TRANSCT_gasLimit_Prefixed0000', `f863030184000007d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_gasLimit_TooLarge', `f8810301a2${FULL}07d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_gasLimit_GivenAsList', `f8610301c207d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_rvalue_Prefixed0000', `f86303018207d0${TO_2}0a82554426a20000${R2}${S_2}`],
  ['TRANSCT_rvalue_TooLarge', `f86303018207d0${TO_2}0a82554426a2ef3d${R2}${S_2}`],
  ['TRANSCT_rvalue_GivenAsList', `f86103018207d0${TO_2}0a82554426e0${R2}${S_2}`],
  ['TRANSCT_svalue_Prefixed0000', `f86303018207d0${TO_2}0a82554426a0${R2}a20000${S_2.slice(2)}`],
  ['TRANSCT_svalue_GivenAsList', `f86103018207d0${TO_2}0a82554426a0${R2}e0${S_2.slice(2)}`],
  ['TRANSCT_to_Prefixed0000', `f86303018207d0960000${TO_2.slice(2)}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_to_TooShort', `f85f03018207d092${TO_2.slice(6)}0a82554426a0${R2}${S_2}`],
  ['TRANSCT_to_GivenAsList', `f86103018207d0d4${TO_2.slice(2)}0a82554426a0${R2}${S_2}`],
  ['TRANSCT__RandomByteAtTheEnd', `f86103018207d0${TO_2}0a82554426a0${R2}${S_2}ef`],
  ['TRANSCT__ZeroByteAtTheEnd', `f86103018207d0${TO_2}0a82554426a0${R2}${S_2}00`],
  ['TRANSCT__RandomByteAtRLP_0', `f86ef103018207d0${TO_2}0a82554426a0${R2}${S_2}`],
  ['TRANSCT__ZeroByteAtRLP_0', `f8600103018207d0${TO_2}0a82554426a0${R2}${S_2}`],
]
for (const [name, raw] of WRONG_RLP) {
  test(`ttWrongRLPTransaction ${name} is malformed`, () =>
    assert.equal(decodeTransaction(fromHex(`0x${raw}`)), 'tx-malformed'))
}

// ---- Every part of a transaction, spoilt one at a time ----

const LEGACY_PARTS = ['nonce', 'price', 'gas', 'to', 'value', 'data', 'v', 'r', 's'] as const
const EIP1559_PARTS = [
  'chain',
  'nonce',
  'tip',
  'fee',
  'gas',
  'to',
  'value',
  'data',
  'access list',
  'parity',
  'r',
  's',
] as const
const NUMBERS = ['chain', 'nonce', 'tip', 'fee', 'price', 'gas', 'value', 'v', 'parity', 'r', 's']

type Type = TransactionFields['type']
const TYPES: readonly Type[] = ['legacy', 'eip1559']

function partsOf(type: Type): readonly string[] {
  return type === 'legacy' ? LEGACY_PARTS : EIP1559_PARTS
}

/** The items of a good transaction of which every number has two bytes, so that all can be told from their spoilt forms. */
function goodItems(type: Type): RlpItem[] {
  const { raw } = exampleTransaction(
    { type, chainId: 700n, nonce: 600n, gasLimit: 50_000n, value: 700n, data: new Uint8Array(40).fill(9) },
    { yParity: 1, r: 1000n, s: 1001n },
  )
  const items = decodeRlp(type === 'legacy' ? raw : raw.subarray(1), 4)
  assert.ok(items !== null && !(items instanceof Uint8Array))
  return [...items]
}

function rawOf(type: Type, items: readonly RlpItem[]): Uint8Array {
  return type === 'legacy' ? encodeRlp(items) : concatBytes(Uint8Array.of(2), encodeRlp(items))
}

/** What the decoder says of a good transaction with some of its items replaced. */
function decodeWith(type: Type, changes: Readonly<Record<string, RlpItem>>): string {
  const items = goodItems(type)
  for (const [part, item] of Object.entries(changes)) {
    const index = partsOf(type).indexOf(part)
    assert.ok(index >= 0, part)
    items[index] = item
  }
  const result = decodeTransaction(rawOf(type, items))
  return typeof result === 'string' ? result : 'accepted'
}

const bytesOfSize = (size: number): Uint8Array => new Uint8Array(size).fill(1)
const number = (value: bigint): Uint8Array => rlpInteger(value)

for (const type of TYPES) {
  test(`${type}: the items that are spoilt below are good as they are`, () => {
    assert.equal(decodeWith(type, {}), 'accepted')
  })

  for (const [index, part] of partsOf(type).entries()) {
    if (!NUMBERS.includes(part)) continue
    const good = goodItems(type)[index]
    assert.ok(good instanceof Uint8Array)
    const spoilt: readonly [what: string, item: RlpItem][] = [
      ['with a leading zero', concatBytes(Uint8Array.of(0), good)],
      ['zero written as a byte', Uint8Array.of(0)],
      ['of 33 bytes', bytesOfSize(33)],
      ['of 64 bytes', bytesOfSize(64)],
      ['that is an empty list', []],
      ['that is a list of itself', [good]],
    ]
    for (const [what, item] of spoilt) {
      test(`${type}: a ${part} ${what} is malformed`, () =>
        assert.equal(decodeWith(type, { [part]: item }), 'tx-malformed'))
    }
  }

  for (const size of [1, 19, 21, 32]) {
    test(`${type}: a recipient of ${size} bytes is malformed`, () =>
      assert.equal(decodeWith(type, { to: bytesOfSize(size) }), 'tx-malformed'))
  }
  test(`${type}: a recipient or data that is a list is malformed`, () => {
    assert.equal(decodeWith(type, { to: [] }), 'tx-malformed')
    assert.equal(decodeWith(type, { to: [bytesOfSize(20)] }), 'tx-malformed')
    assert.equal(decodeWith(type, { data: [] }), 'tx-malformed')
    assert.equal(decodeWith(type, { data: [bytesOfSize(1)] }), 'tx-malformed')
  })

  test(`${type}: one item missing, or one too many, anywhere, is malformed`, () => {
    const items = goodItems(type)
    for (let index = 0; index <= items.length; index++) {
      const added = rawOf(type, items.toSpliced(index, 0, Uint8Array.of(1)))
      assert.equal(decodeTransaction(added), 'tx-malformed', `added at ${index}`)
      if (index === items.length) break
      const removed = rawOf(type, items.toSpliced(index, 1))
      assert.equal(decodeTransaction(removed), 'tx-malformed', `removed at ${index}`)
    }
    assert.equal(decodeTransaction(rawOf(type, [])), 'tx-malformed')
  })

  test(`${type}: bytes after the list, or a list that ends early, are malformed`, () => {
    const raw = rawOf(type, goodItems(type))
    for (const after of [0x00, 0x80, 0xc0]) {
      assert.equal(decodeTransaction(concatBytes(raw, Uint8Array.of(after))), 'tx-malformed')
    }
    for (let size = 0; size < raw.length; size++) {
      assert.equal(decodeTransaction(raw.subarray(0, size)), 'tx-malformed', `${size} bytes`)
    }
  })

  test(`${type}: the list in a string is malformed`, () => {
    const list = encodeRlp(goodItems(type))
    const inString = encodeRlp(list)
    const raw = type === 'legacy' ? inString : concatBytes(Uint8Array.of(2), inString)
    assert.equal(decodeTransaction(raw), 'tx-malformed')
  })

  const RANGES: readonly [says: string, changes: Readonly<Record<string, RlpItem>>, outcome: string][] = [
    ['r 0', { r: number(0n) }, 'tx-signature-out-of-range'],
    ['s 0', { s: number(0n) }, 'tx-signature-out-of-range'],
    ['r of the order', { r: number(SECP256K1_N) }, 'tx-signature-out-of-range'],
    ['s of the order', { s: number(SECP256K1_N) }, 'tx-signature-out-of-range'],
    ['r above the order', { r: number(U256_MAX) }, 'tx-signature-out-of-range'],
    ['s above the order', { s: number(U256_MAX) }, 'tx-signature-out-of-range'],
    ['r one below the order', { r: number(SECP256K1_N - 1n) }, 'accepted'],
    ['s of half the order', { s: number(SECP256K1_N / 2n) }, 'accepted'],
    ['s just above half the order', { s: number(SECP256K1_N / 2n + 1n) }, 'tx-signature-high-s'],
    ['s one below the order', { s: number(SECP256K1_N - 1n) }, 'tx-signature-high-s'],
    ['the last nonce', { nonce: number(U64_MAX - 1n) }, 'accepted'],
    ['the nonce that could not rise (EIP-2681)', { nonce: number(U64_MAX) }, 'tx-nonce-too-large'],
    ['a nonce of 65 bits', { nonce: number(U64_MAX + 1n) }, 'tx-nonce-too-large'],
    ['a gas limit of 65 bits', { gas: number(U64_MAX + 1n) }, 'tx-fee-overflow'],
    ['a value of 256 bits', { value: number(U256_MAX) }, 'accepted'],
    ['a nonce of zero, which is no bytes', { nonce: number(0n) }, 'accepted'],
    ['no recipient', { to: new Uint8Array() }, 'accepted'],
  ]
  for (const [says, changes, outcome] of RANGES) {
    test(`${type}: ${says} is ${outcome}`, () => assert.equal(decodeWith(type, changes), outcome))
  }
}

test('the fee for all gas may be 2^256 - 1 at most', () => {
  // 2^256 - 1 = 3 · 5 · 17 · …: so with gas 15 the limit is met exactly.
  const fee = U256_MAX / 15n
  assert.equal(fee * 15n, U256_MAX)
  assert.equal(decodeWith('legacy', { gas: number(15n), price: number(fee) }), 'accepted')
  assert.equal(decodeWith('legacy', { gas: number(15n), price: number(fee + 1n) }), 'tx-fee-overflow')
  assert.equal(decodeWith('legacy', { gas: number(16n), price: number(fee) }), 'tx-fee-overflow')
  assert.equal(decodeWith('eip1559', { gas: number(15n), fee: number(fee) }), 'accepted')
  assert.equal(decodeWith('eip1559', { gas: number(15n), fee: number(fee + 1n) }), 'tx-fee-overflow')
  assert.equal(decodeWith('legacy', { gas: number(U64_MAX), price: number(1n) }), 'accepted')
})

test('the tip may be the whole fee, and not a wei more', () => {
  assert.equal(decodeWith('eip1559', { tip: number(9n), fee: number(9n) }), 'accepted')
  assert.equal(decodeWith('eip1559', { tip: number(10n), fee: number(9n) }), 'tx-tip-above-fee')
})

const V_VALUES: readonly [v: bigint, outcome: string][] = [
  [0n, 'tx-signature-out-of-range'],
  [1n, 'tx-signature-out-of-range'],
  [26n, 'tx-signature-out-of-range'],
  [27n, 'tx-unprotected'],
  [28n, 'tx-unprotected'],
  [29n, 'tx-signature-out-of-range'],
  [34n, 'tx-signature-out-of-range'],
  [35n, 'accepted'],
  [36n, 'accepted'],
  [U256_MAX, 'accepted'],
]
for (const [v, outcome] of V_VALUES) {
  test(`legacy: v ${v} is ${outcome}`, () => assert.equal(decodeWith('legacy', { v: number(v) }), outcome))
}

test('v is twice the chain, plus 35, plus the parity', () => {
  for (const [v, chainId, yParity] of [
    [35n, 0n, 0],
    [36n, 0n, 1],
    [37n, 1n, 0],
    [38n, 1n, 1],
    [40_557n, 20_261n, 0],
    [40_558n, 20_261n, 1],
  ] as const) {
    const items = goodItems('legacy').with(6, number(v))
    const tx = accepted(decodeTransaction(rawOf('legacy', items)))
    assert.deepEqual([tx.chainId, tx.yParity], [chainId, yParity])
  }
})

test('eip1559: the parity is 0 or 1', () => {
  assert.equal(decodeWith('eip1559', { parity: number(0n) }), 'accepted')
  assert.equal(decodeWith('eip1559', { parity: number(1n) }), 'accepted')
  for (const parity of [2n, 27n, 28n, 37n, U256_MAX]) {
    assert.equal(decodeWith('eip1559', { parity: number(parity) }), 'tx-signature-out-of-range')
  }
})

const ADDRESS = bytesOfSize(20)
const KEY = bytesOfSize(32)
const ACCESS_LISTS: readonly [says: string, item: RlpItem, outcome: string][] = [
  ['empty', [], 'accepted'],
  ['of one address without keys', [[ADDRESS, []]], 'accepted'],
  ['of one address with keys, one of them twice', [[ADDRESS, [KEY, KEY]]], 'accepted'],
  [
    'of one address twice',
    [
      [ADDRESS, []],
      [ADDRESS, [KEY]],
    ],
    'accepted',
  ],
  ['with zeros in front of an address and a key', [[new Uint8Array(20), [new Uint8Array(32)]]], 'accepted'],
  ['that is a string', new Uint8Array(), 'tx-malformed'],
  ['that is a long string', bytesOfSize(60), 'tx-malformed'],
  ['of a string', [ADDRESS], 'tx-malformed'],
  ['of an empty entry', [[]], 'tx-malformed'],
  ['of an entry without keys', [[ADDRESS]], 'tx-malformed'],
  ['of an entry with a third item', [[ADDRESS, [], []]], 'tx-malformed'],
  ['whose address has 19 bytes', [[bytesOfSize(19), []]], 'tx-malformed'],
  ['whose address has 21 bytes', [[bytesOfSize(21), []]], 'tx-malformed'],
  ['whose address is empty', [[new Uint8Array(), []]], 'tx-malformed'],
  ['whose address is a list', [[[ADDRESS], []]], 'tx-malformed'],
  ['whose keys are a string', [[ADDRESS, KEY]], 'tx-malformed'],
  ['whose keys are an empty string', [[ADDRESS, new Uint8Array()]], 'tx-malformed'],
  ['whose key has 31 bytes', [[ADDRESS, [bytesOfSize(31)]]], 'tx-malformed'],
  ['whose key has 33 bytes', [[ADDRESS, [bytesOfSize(33)]]], 'tx-malformed'],
  ['whose key is short, as numbers are (0x0001)', [[ADDRESS, [Uint8Array.of(0, 1)]]], 'tx-malformed'],
  ['whose key is a list', [[ADDRESS, [[KEY]]]], 'tx-malformed'],
  ['whose last key is bad', [[ADDRESS, [KEY, bytesOfSize(2)]]], 'tx-malformed'],
  ['with a level too many', [[[[[]]]]], 'tx-malformed'],
]
for (const [says, item, outcome] of ACCESS_LISTS) {
  test(`an access list ${says} is ${outcome}`, () =>
    assert.equal(decodeWith('eip1559', { 'access list': item }), outcome))
}

test('every other type is unknown, and what is no type is malformed', () => {
  const list = encodeRlp(goodItems('eip1559'))
  for (let type = 0; type < 0xc0; type++) {
    if (type === 2) continue
    const outcome = type < 0x80 ? 'tx-type-unknown' : 'tx-malformed'
    assert.equal(decodeTransaction(concatBytes(Uint8Array.of(type), list)), outcome, `type ${type}`)
  }
  assert.equal(decodeTransaction(new Uint8Array()), 'tx-malformed')
  assert.equal(decodeTransaction(Uint8Array.of(2)), 'tx-malformed')
})

test('one type is not taken for the other', () => {
  assert.equal(decodeTransaction(encodeRlp(goodItems('eip1559'))), 'tx-malformed')
  const legacy = encodeRlp(goodItems('legacy'))
  assert.equal(decodeTransaction(concatBytes(Uint8Array.of(2), legacy)), 'tx-malformed')
})

test('a transaction has 128 KiB at most', () => {
  const withData = (size: number): Uint8Array =>
    encodeTransaction(exampleFields({ data: new Uint8Array(size) }), ANY_SIGNATURE)
  const overhead = withData(131_000).length - 131_000
  const largest = withData(TRANSACTION_BYTES_MAX - overhead)
  assert.equal(largest.length, 131_072)
  accepted(decodeTransaction(largest))
  assert.equal(decodeTransaction(withData(TRANSACTION_BYTES_MAX - overhead + 1)), 'tx-too-large')
})

test('no transaction has 64 bytes, so none can be taken for an inner node of the Merkle tree (CVE-2017-12842)', () => {
  const withData = (size: number): Uint8Array =>
    encodeTransaction(exampleFields({ data: new Uint8Array(size) }), ANY_SIGNATURE)
  const raws = Array.from({ length: 40 }, (_, size) => withData(size))
  assert.ok(raws.some(raw => raw.length === 64))
  for (const raw of raws) {
    const isRefused = typeof decodeTransaction(raw) === 'string'
    assert.equal(isRefused, raw.length === 64, `${raw.length} bytes`)
  }
})

// ---- EIP-2 and EIP-155 at work ----

for (const type of TYPES) {
  test(`${type}: the twin with n - s and the other parity would show the same sender, and is refused`, () => {
    const fields = exampleFields({ type })
    const signature = signDigest(signingHash(fields), bytesOfSize(32))
    const twin: Signature = {
      yParity: signature.yParity === 0 ? 1 : 0,
      r: signature.r,
      s: SECP256K1_N - signature.s,
    }
    const tx = exampleTransaction({ type }, signature)
    assert.equal(recoverSender({ ...tx, ...twin }), recoverSender(tx))
    assert.equal(decodeTransaction(encodeTransaction(fields, twin)), 'tx-signature-high-s')
  })

  test(`${type}: each field is under the signature`, () => {
    const fields = exampleFields({ type })
    const changes: readonly Partial<TransactionFields>[] = [
      { chainId: fields.chainId + 1n },
      { nonce: fields.nonce + 1n },
      { maxFeePerGas: fields.maxFeePerGas + 1n },
      { gasLimit: fields.gasLimit + 1n },
      { to: addressNumber(3) },
      { to: null },
      { value: fields.value + 1n },
      { data: Uint8Array.of(0) },
      { type: type === 'legacy' ? 'eip1559' : 'legacy' },
    ]
    const only1559: readonly Partial<TransactionFields>[] = [
      { maxPriorityFeePerGas: fields.maxPriorityFeePerGas + 1n },
      { accessList: [{ address: addressNumber(1), storageKeys: [] }] },
    ]
    const hashes = [{}, ...changes, ...(type === 'eip1559' ? only1559 : [])].map(change =>
      toHex(signingHash(exampleFields({ type, ...change }))),
    )
    assert.equal(new Set(hashes).size, hashes.length)
  })
}

// ---- Properties ----

const hexOf = (size: number): fc.Arbitrary<Hex> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(bytes => toHex(bytes))
const upTo = (max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max }))
const someAccessList = fc.array(
  fc.record(
    { address: hexOf(20), storageKeys: fc.array(hexOf(32), { maxLength: 2 }) },
    { noNullPrototype: true },
  ),
  { maxLength: 2 },
)
const someFields: fc.Arbitrary<TransactionFields> = fc
  .record(
    {
      type: fc.constantFrom(...TYPES),
      chainId: upTo(U64_MAX),
      nonce: upTo(U64_MAX - 1n),
      fee: upTo(2n ** 191n),
      tip: upTo(2n ** 191n),
      gasLimit: upTo(U64_MAX),
      to: fc.option(hexOf(20)),
      value: upTo(U256_MAX),
      data: fc.uint8Array({ maxLength: 70 }),
      accessList: someAccessList,
    },
    { noNullPrototype: true },
  )
  .map(({ fee, tip, accessList, ...rest }) => {
    const isLegacy = rest.type === 'legacy'
    const [low, maxFeePerGas] = fee < tip ? [fee, tip] : [tip, fee]
    const maxPriorityFeePerGas = isLegacy ? maxFeePerGas : low
    return { ...rest, maxFeePerGas, maxPriorityFeePerGas, accessList: isLegacy ? [] : accessList }
  })
const someSignature: fc.Arbitrary<Signature> = fc.record(
  {
    yParity: fc.constantFrom(0, 1),
    r: upTo(SECP256K1_N - 2n).map(r => r + 1n),
    s: upTo(SECP256K1_N / 2n - 1n).map(s => s + 1n),
  },
  { noNullPrototype: true },
)

test('every transaction in range reads back as it was, from its own bytes and among others', () => {
  fc.assert(
    fc.property(someFields, someSignature, fc.uint8Array({ maxLength: 4 }), (fields, signature, noise) => {
      const raw = encodeTransaction(fields, signature)
      fc.pre(raw.length !== 64)
      const tx = accepted(decodeTransaction(raw))
      const { id, raw: rawAgain, ...rest } = tx
      assert.deepEqual(rest, { ...fields, ...signature })
      assert.deepEqual(rawAgain, raw)
      assert.equal(id, viemKeccak256(raw))
      assert.equal(transactionSize(concatBytes(noise, raw, noise), noise.length), raw.length)
    }),
    { numRuns: 200 },
  )
})

test('the bytes and the signing hash are those that viem makes', () => {
  fc.assert(
    fc.property(someFields, someSignature, (fields, { yParity, r, s }) => {
      // viem leaves out a chain of 0, and checks chains and fees by its own limits.
      if (fields.chainId === 0n || fields.chainId > Number.MAX_SAFE_INTEGER) return
      const { type, chainId, nonce, maxFeePerGas, maxPriorityFeePerGas, gasLimit, to, ...rest } = fields
      if (nonce > Number.MAX_SAFE_INTEGER) return
      const common = {
        chainId: Number(chainId),
        nonce: Number(nonce),
        gas: gasLimit,
        to,
        value: rest.value,
        data: toHex(rest.data),
      }
      const theirs: TransactionSerializable =
        type === 'legacy'
          ? { ...common, type: 'legacy', gasPrice: maxFeePerGas }
          : { ...common, type, maxFeePerGas, maxPriorityFeePerGas, accessList: [...rest.accessList] }
      assert.equal(toHex(signingHash(fields)), viemKeccak256(viemSerialize(theirs)))
      const hex = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`
      const v = type === 'legacy' ? chainId * 2n + 35n + BigInt(yParity) : BigInt(yParity)
      const signed = viemSerialize(theirs, { r: hex(r), s: hex(s), yParity, v })
      assert.equal(toHex(encodeTransaction(fields, { yParity, r, s })), signed)
    }),
  )
})

/** Checks what must hold of any bytes at all: they decode to nothing, or to what is encoded as just these bytes. */
function isCanonicalOrRefused(raw: Uint8Array): Transaction | null {
  const tx = decodeTransaction(raw)
  if (typeof tx === 'string') return null
  assert.equal(toHex(encodeTransaction(tx, tx)), toHex(raw))
  assert.equal(tx.id, viemKeccak256(raw))
  return tx
}

test('a transaction with any one byte changed is refused or another one, and has one encoding', () => {
  fc.assert(
    fc.property(
      someFields,
      someSignature,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (fields, signature, at, flip) => {
        const raw = encodeTransaction(fields, signature)
        const index = at % raw.length
        const changed = isCanonicalOrRefused(raw.with(index, raw[index]! ^ flip))
        assert.notEqual(changed?.id, viemKeccak256(raw))
      },
    ),
    { numRuns: 300 },
  )
})

test('every byte of two transactions, changed to every value, is refused or another one', () => {
  for (const type of TYPES) {
    const raw = rawOf(type, goodItems(type))
    const ids = new Set<string>()
    let others = 0
    for (const [index, byte] of raw.entries()) {
      for (let value = 0; value < 256; value++) {
        if (value === byte) continue
        const changed = isCanonicalOrRefused(raw.with(index, value))
        if (changed === null) continue
        ids.add(changed.id)
        others++
      }
    }
    assert.equal(ids.size, others)
    assert.ok(!ids.has(viemKeccak256(raw)))
  }
})

test('any bytes are refused or canonical, and never throw', () => {
  const prefix = fc.constantFrom(0x02, 0x80, 0x81, 0xb8, 0xc0, 0xc2, 0xc9, 0xcc, 0xf8, 0xf9)
  const bytes = fc.array(fc.oneof(prefix, fc.nat(255)), { maxLength: 60 }).map(list => Uint8Array.from(list))
  fc.assert(
    fc.property(bytes, raw => {
      isCanonicalOrRefused(raw)
      transactionSize(raw, 0)
      transactionSize(raw, raw.length)
    }),
    { numRuns: 500 },
  )
})

const NO_SIZES: readonly [says: string, bytes: readonly number[]][] = [
  ['there is nothing', []],
  ['a string stands there', [0x83, 1, 2, 3]],
  ['a byte stands there', [0x01]],
  ['another type stands there', [0x01, 0xc0]],
  ['a type without its list stands there', [0x02]],
  ['a type before a string stands there', [0x02, 0x83, 1, 2, 3]],
  ['the list is cut off', [0xc2, 0x80]],
  ['the list after the type is cut off', [0x02, 0xc2, 0x80]],
]
for (const [says, bytes] of NO_SIZES) {
  test(`no transaction has a size where ${says}`, () =>
    assert.equal(transactionSize(Uint8Array.from(bytes), 0), null))
}

// ---- Intrinsic gas ----

const INTRINSIC: readonly [says: string, changes: Partial<TransactionFields>, gas: bigint][] = [
  ['a transfer', {}, 21_000n],
  ['a zero byte (EIP-2028)', { data: Uint8Array.of(0) }, 21_004n],
  ['another byte (EIP-2028)', { data: Uint8Array.of(1) }, 21_016n],
  [
    'an address of the access list (EIP-2930)',
    { accessList: [{ address: addressNumber(1), storageKeys: [] }] },
    23_400n,
  ],
  [
    'an address with a key (ttEIP2930 accessListStorage32Bytes)',
    { accessList: [{ address: addressNumber(1), storageKeys: [`0x${FULL}`] }] },
    0x62d4n,
  ],
  ['a creation (EIP-2)', { to: null }, 53_000n],
  ['a word of initcode (EIP-3860)', { to: null, data: new Uint8Array(32) }, 53_130n],
  ['a word and a byte of initcode (EIP-3860)', { to: null, data: new Uint8Array(33) }, 53_136n],
]
for (const [says, changes, gas] of INTRINSIC) {
  test(`${says} takes ${gas} gas`, () => assert.equal(intrinsicGas(exampleFields(changes)), gas))
}

test('intrinsic gas is counted byte by byte, address by address, key by key', () => {
  fc.assert(
    fc.property(someFields, fields => {
      let gas = 21_000n
      for (const byte of fields.data) gas += byte === 0 ? 4n : 16n
      for (const { storageKeys } of fields.accessList) {
        gas += 2_400n
        for (const _ of storageKeys) gas += 1_900n
      }
      if (fields.to === null) {
        gas += 32_000n
        for (let at = 0; at < fields.data.length; at += 32) gas += 2n
      }
      assert.equal(intrinsicGas(fields), gas)
    }),
  )
})
