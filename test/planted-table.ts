// The faults that planted-faults.ts plants: each breaks one rule in one place, and names the tests that must find it.
// A snippet must be found exactly once in its file: whoever changes the line moves the fault along.

/** One change for the worse. */
export interface Fault {
  readonly name: string
  /** Of src. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Of test, without the ending: those that must find it. */
  readonly tests: readonly string[]
}

/** All of them, in the order of what they break. */
export const FAULTS: readonly Fault[] = [
  // ---- the six that were asked for first
  {
    name: 'a transfer to oneself makes money',
    file: 'chain/execution.ts',
    find: `    this.#changes.set(sender, { nonce: payer.nonce + 1n, balance: payer.balance - tx.value - gas * gasPrice })
    // Read after the sender was written: the two may be one account.
    this.#credit(tx.to!, tx.value)`,
    replace: `    const payee = this.#get(tx.to!)
    this.#changes.set(sender, { nonce: payer.nonce + 1n, balance: payer.balance - tx.value - gas * gasPrice })
    this.#changes.set(tx.to!, { nonce: payee.nonce, balance: payee.balance + tx.value })`,
    tests: ['chain/execution'],
  },
  {
    name: 'the head is the highest block, not the one with the most work',
    file: 'finality/longest-chain.ts',
    find: 'candidate.work > head.work',
    replace: 'candidate.height > head.height',
    tests: ['finality/longest-chain', 'replica/replica'],
  },
  {
    name: 'the state root of a block is not checked',
    file: 'chain/execution.ts',
    find: "  if (execution.state.root() !== coinbase.stateRoot) return 'block-state-root-wrong'\n",
    replace: '',
    tests: ['chain/execution', 'replica/replica'],
  },
  {
    name: 'the writes of a step are two batches',
    file: 'replica/effects.ts',
    find: "[{ type: 'persist', writes }, ...effects]",
    replace: `[
      { type: 'persist', writes: writes.slice(0, writes.length >> 1) },
      { type: 'persist', writes: writes.slice(writes.length >> 1) },
      ...effects,
    ]`,
    tests: ['replica/effects', 'replica/replica'],
  },
  {
    name: "the sender's nonce is not checked",
    file: 'chain/execution.ts',
    find: `    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce > account.nonce) return 'tx-nonce-too-high'
`,
    replace: '',
    tests: ['chain/execution', 'replica/replica'],
  },
  {
    name: 'the median of an even number of times is the lower one',
    file: 'chain/header-chain.ts',
    find: 'sorted[sorted.length >> 1]!',
    replace: 'sorted[(sorted.length - 1) >> 1]!',
    tests: ['chain/header-chain'],
  },
  // ---- chain
  {
    name: 'a block may have the median time itself',
    file: 'chain/header-chain.ts',
    find: 'header.time <= medianTimePast(parent)',
    replace: 'header.time < medianTimePast(parent)',
    tests: ['chain/header-chain'],
  },
  {
    name: 'the median is that of the last ten times',
    file: 'chain/header-chain.ts',
    find: 'const MEDIAN_TIME_SPAN = 11',
    replace: 'const MEDIAN_TIME_SPAN = 10',
    tests: ['chain/header-chain'],
  },
  {
    name: 'a time in the future is not refused',
    file: 'chain/header-chain.ts',
    find: "  if (header.time > nowSeconds + rules.futureLimitSeconds) return 'header-time-too-new'\n",
    replace: '',
    tests: ['chain/header-chain', 'replica/replica'],
  },
  {
    name: 'the work of a header is not checked',
    file: 'chain/header-chain.ts',
    find: 'target === null || (rules.isProved && !meetsTarget(id, target))',
    replace: 'target === null',
    tests: ['chain/header-chain', 'replica/sync'],
  },
  {
    name: 'a header may have any target',
    file: 'chain/header-chain.ts',
    find: "  if (header.bits !== requiredBits(rules, parent)) return 'header-bits-wrong'\n",
    replace: '',
    tests: ['chain/header-chain', 'replica/sync'],
  },
  {
    name: 'a high s is not refused',
    file: 'chain/transaction.ts',
    find: "  if (tx.s > SECP256K1_N / 2n) return 'tx-signature-high-s'\n",
    replace: '',
    tests: ['chain/transaction'],
  },
  {
    name: 'a transaction for another chain is taken',
    file: 'chain/execution.ts',
    find: "  if (tx.chainId !== rules.chainId) return 'tx-wrong-chain'\n",
    replace: '',
    tests: ['chain/execution', 'replica/mempool'],
  },
  {
    name: 'the base fee is not burned: nobody pays it',
    file: 'chain/execution.ts',
    find: 'payer.balance - tx.value - gas * gasPrice',
    replace: 'payer.balance - tx.value - gas * tip',
    tests: ['chain/execution'],
  },
  {
    name: 'the base fee goes to the miner',
    file: 'chain/execution.ts',
    find: 'this.#tips += gas * tip',
    replace: 'this.#tips += gas * gasPrice',
    tests: ['chain/execution'],
  },
  {
    name: 'the reward halves one block early',
    file: 'chain/reward.ts',
    find: 'Math.floor((height - 1) / rules.halvingBlocks)',
    replace: 'Math.floor(height / rules.halvingBlocks)',
    tests: ['chain/reward'],
  },
  {
    name: 'a body with a repeated tail is taken for the real one',
    file: 'chain/block.ts',
    find: "  if (isMutated) return 'block-mutated'\n",
    replace: '',
    tests: ['chain/block'],
  },
  {
    name: 'the base fee that a block claims is not checked',
    file: 'chain/execution.ts',
    find: "coinbase.baseFee === nextBaseFee(parent.coinbase) ? null : 'block-base-fee-wrong'",
    replace: 'null',
    tests: ['chain/execution', 'replica/replica'],
  },
  // ---- what is on disk
  {
    name: 'writes are persisted after what depends on them was sent',
    file: 'replica/effects.ts',
    find: "[{ type: 'persist', writes }, ...effects]",
    replace: "[...effects, { type: 'persist', writes }]",
    tests: ['replica/effects', 'replica/replica'],
  },
  {
    name: 'the batch that makes blocks final lacks the base record',
    file: 'replica/fold.ts',
    find: '  outbox.write(KEYS.base, encodeChainedHeader(final.at(-1)!.chained))\n',
    replace: '',
    tests: ['replica/fold', 'replica/start'],
  },
  {
    name: 'the base record is a batch of its own, before the accounts are written',
    file: 'replica/effects.ts',
    find: "[{ type: 'persist', writes }, ...effects]",
    replace: `[
      { type: 'persist', writes: writes.filter(write => write.key === 'base') },
      { type: 'persist', writes: writes.filter(write => write.key !== 'base') },
      ...effects,
    ]`,
    tests: ['replica/effects', 'replica/replica'],
  },
  {
    name: 'final blocks stay in the list of open ones',
    file: 'replica/fold.ts',
    find: `encodeFinal(entry.chained))
    outbox.write(KEYS.openBlock(entry.arrival), null)`,
    replace: 'encodeFinal(entry.chained))',
    tests: ['replica/fold', 'replica/start'],
  },
  {
    name: 'blocks of dropped branches stay on disk',
    file: 'replica/fold.ts',
    find: '    outbox.write(KEYS.block(entry.chained.id), null)\n',
    replace: '',
    tests: ['replica/fold', 'replica/start'],
  },
  {
    name: 'of several blocks that become final only the last changes the accounts on disk',
    file: 'replica/fold.ts',
    find: '    for (const [address, account] of entry.execution.changes)',
    replace: '    accounts.clear()\n    for (const [address, account] of entry.execution.changes)',
    tests: ['replica/fold'],
  },
  {
    name: 'the state on disk is believed',
    file: 'replica/start.ts',
    find: 'if (state.root() !== block.coinbase.stateRoot) {',
    replace: 'if (state === null) {',
    tests: ['replica/start'],
  },
  {
    name: 'after a restart the next block takes the place of the last one on disk',
    file: 'replica/start.ts',
    find: 'arrivals = arrival + 1',
    replace: 'arrivals = arrival',
    tests: ['replica/start'],
  },
  {
    name: 'after a restart the last of equal branches is followed',
    file: 'replica/replica.ts',
    find: 'if (this.finality.prefers(entry.chained, best.chained)) best = entry',
    replace: 'if (!this.finality.prefers(best.chained, entry.chained)) best = entry',
    tests: ['replica/start'],
  },
  {
    name: 'a transaction that was handed in is not kept on disk',
    file: 'replica/replica.ts',
    find: '    this.#outbox.write(KEYS.pooled(tx.id), tx.raw)\n',
    replace: '',
    tests: ['replica/replica'],
  },
  {
    name: 'a record that is not what was written is read all the same',
    file: 'replica/record-seal.ts',
    find: '  if (!isWhole) throw',
    replace: '  if (!isWhole && sealed.length < SEAL_BYTES) throw',
    tests: ['replica/record-seal', 'replica/damage'],
  },
  {
    name: 'the seal of a record does not cover its key',
    file: 'replica/record-seal.ts',
    find: 'crc(record, crc(new TextEncoder().encode(key)))',
    replace: 'crc(record, crc(new TextEncoder().encode(key.slice(0, 0))))',
    tests: ['replica/record-seal'],
  },
  {
    name: 'a node does not look at the seal of a record that it reads by its key',
    file: 'node/database.ts',
    find: 'openRecord(key, plainBytes(sealed), crc32)\n  }',
    replace: 'plainBytes(sealed).subarray(0, -4)\n  }',
    tests: ['node/damage'],
  },
  {
    name: 'a node does not look at the seals of the records that it reads when it starts',
    file: 'node/database.ts',
    find: 'entries.push([key, openRecord(key, plainBytes(sealed), crc32)])',
    replace: 'entries.push([key, plainBytes(sealed).subarray(0, -4)])',
    tests: ['node/damage'],
  },
  {
    name: 'a node goes on after a client met a damaged record',
    file: 'rpc/server.ts',
    find: 'if (err instanceof CorruptStore) backend.fail(err)\n      else ',
    replace: '',
    tests: ['rpc/refusals'],
  },
  {
    name: 'a simulated node goes on after it read a damaged record',
    file: 'sim/node/sim-node.ts',
    find: '      this.stoppedBy = error\n      this.#crash()\n',
    replace: '      this.stoppedBy = error\n',
    tests: ['sim/node/sim-node'],
  },
  // ---- blocks and branches
  {
    name: 'of equal branches the last is followed',
    file: 'finality/longest-chain.ts',
    find: 'candidate.work > head.work',
    replace: 'candidate.work >= head.work',
    tests: ['finality/longest-chain', 'replica/replica'],
  },
  {
    name: 'a block is final one block too early',
    file: 'finality/longest-chain.ts',
    find: 'ancestor(head.height - this.#depth)',
    replace: 'ancestor(head.height - this.#depth + 1)',
    tests: ['finality/longest-chain'],
  },
  {
    name: 'a block from the future is remembered as invalid',
    file: 'replica/replica.ts',
    find: "    if (typeof chained === 'string') return chained\n",
    replace:
      "    if (typeof chained === 'string') {\n      this.#invalid.set(block.id, true)\n      return chained\n    }\n",
    tests: ['replica/replica'],
  },
  {
    name: 'an invalid block is not remembered',
    file: 'replica/replica.ts',
    find: `      this.#invalid.set(block.id, true)
      return execution`,
    replace: '      return execution',
    tests: ['replica/replica', 'replica/sync'],
  },
  {
    name: 'a block that was refused is passed on',
    file: 'replica/replica.ts',
    find: "rejection === null ? { type: 'relay' } : { type: 'reject', from, reason: rejection }",
    replace: "{ type: 'relay' }",
    tests: ['replica/replica'],
  },
  {
    name: 'transactions of blocks that were left are forgotten',
    file: 'replica/replica.ts',
    find: '    for (const entry of left) for (const tx of entry.block.transactions) this.#takeBack(tx, joined)\n',
    replace: '',
    tests: ['replica/replica'],
  },
  {
    name: 'the pool is not told of accounts that only the old branch changed',
    file: 'replica/replica.ts',
    find: 'new Set([...left, ...joined].flatMap(',
    replace: 'new Set([...joined].flatMap(',
    tests: ['replica/replica'],
  },
  {
    name: 'transactions of blocks that were left are still said to be in them',
    file: 'replica/block-tree.ts',
    find: '    for (const entry of left) for (const tx of entry.block.transactions) this.#including.delete(tx.id)\n',
    replace: '',
    tests: ['replica/block-tree', 'replica/replica'],
  },
  {
    name: 'branches below the base are kept for ever',
    file: 'replica/block-tree.ts',
    find: '      gone.add(id)\n      dropped.push(entry)\n',
    replace: '      dropped.push(entry)\n',
    tests: ['replica/block-tree'],
  },
  // ---- the mempool
  {
    name: 'a future transaction evicts pending ones',
    file: 'replica/mempool.ts',
    find: '    if (tx.nonce > queue.nonce + BigInt(queue.pending)) return null\n',
    replace: '',
    tests: ['replica/mempool'],
  },
  {
    name: 'a transaction is replaced without a higher fee',
    file: 'replica/mempool.ts',
    find: "    if (replaced !== null && !outbids(tx, replaced.tx)) return 'tx-replacement-underpriced'\n",
    replace: '',
    tests: ['replica/mempool'],
  },
  {
    name: 'a replacement needs to raise only one of the fees',
    file: 'replica/mempool.ts',
    find: '(100n + REPLACEMENT_BUMP_PERCENT) &&',
    replace: '(100n + REPLACEMENT_BUMP_PERCENT) ||',
    tests: ['replica/mempool'],
  },
  {
    name: 'a sender may have more waiting than he can pay',
    file: 'replica/mempool.ts',
    find: "cost > balance ? 'tx-insufficient-funds' : null",
    replace: 'null',
    tests: ['replica/mempool'],
  },
  {
    name: 'a large replacement is not counted against the bytes of the pool',
    file: 'replica/mempool.ts',
    find: '    const victims = this.#findRoom(tx, sender, queue, leaving)',
    replace: '    const victims = replaced === null ? this.#findRoom(tx, sender, queue, leaving) : []',
    tests: ['replica/mempool'],
  },
  {
    name: 'who pays the same evicts whoever is there',
    file: 'replica/mempool.ts',
    find: 'isRoom = end.isFuture || outbids(tx, end.entry.tx)',
    replace: 'isRoom = true',
    tests: ['replica/mempool'],
  },
  {
    name: 'a block is made of what does not fit in it',
    file: 'replica/template.ts',
    find: 'bytes + tx.raw.length <= room.bytesMax && ',
    replace: '',
    tests: ['replica/template'],
  },
  {
    name: 'one block too many is mined',
    file: 'replica/production.ts',
    find: 'blocksLeft === 0 ? null',
    replace: 'blocksLeft < 0 ? null',
    tests: ['replica/production'],
  },
  // ---- peers
  {
    name: 'headers are followed whose work does not pass ours',
    file: 'replica/sync.ts',
    find: 'if (tip !== null && this.#host.isPreferred(tip)) return',
    replace: 'if (tip !== null) return',
    tests: ['replica/sync'],
  },
  {
    name: 'headers need not link',
    file: 'replica/sync.ts',
    find: 'header.previous !== parent.id',
    replace: 'parent === null',
    tests: ['replica/sync'],
  },
  {
    name: 'a peer that does not answer is waited for',
    file: 'replica/sync.ts',
    find: 'if (peer.request === null || peer.request.deadline > this.#ticks) continue',
    replace: 'continue',
    tests: ['replica/sync'],
  },
  {
    name: 'a wanted block is taken away from the download that brings it',
    file: 'replica/sync.ts',
    find: 'if (peer === undefined || isComing || ',
    replace: 'if (peer === undefined || ',
    tests: ['replica/finality'],
  },
  {
    name: 'a template of the future lives on when the clock is set back',
    file: 'replica/production.ts',
    find: 'Math.abs(nowMs - this.#basis.madeMs)',
    replace: 'nowMs - this.#basis.madeMs',
    tests: ['replica/production'],
  },
  {
    name: 'a clock that is set back holds up the next block',
    file: 'finality/committee.ts',
    find: 'if (this.#chain.nowMs < this.#last.atMs)',
    replace: 'if (this.#chain.nowMs < 0)',
    tests: ['finality/committee'],
  },
  {
    name: 'what one sender has behind a gap keeps out what would close it',
    file: 'replica/mempool.ts',
    find: 'return leaving.length > 0 ? null : this.#findRoomBehind(tx, queue)',
    replace: 'return null',
    tests: ['replica/mempool'],
  },
  {
    name: 'what was given up and comes back is on no disk',
    file: 'replica/replica.ts',
    find: 'if (this.#givenUp.has(tx.id)) this.#keep(tx)',
    replace: '',
    tests: ['replica/limits'],
  },
  {
    name: 'words of peers put the deadlines off',
    file: 'replica/sync.ts',
    find: '    if (isBusy === this.#isTicking) return\n',
    replace: '',
    tests: ['replica/sync'],
  },
  {
    name: 'an honest peer is blamed for the block after its own',
    file: 'replica/sync.ts',
    find: 'new Set([download.source, body!.from])',
    replace: 'this.#peers.keys()',
    tests: ['replica/sync'],
  },
  {
    name: 'a branch that leaves below the base is ignored in silence',
    file: 'replica/sync.ts',
    find: "      this.#host.outbox.emit({ type: 'alarm', text })\n",
    replace: '',
    tests: ['replica/sync', 'replica/replica'],
  },
  {
    name: 'a peer of another network is kept',
    file: 'replica/replica.ts',
    find: 'status.genesisId !== this.genesis.block.id || ',
    replace: '',
    tests: ['replica/replica'],
  },
  {
    name: 'a peer is blamed for a clock that is ahead',
    file: 'replica/verdict.ts',
    find: "'header-time-too-new': 'ignore'",
    replace: "'header-time-too-new': 'punish'",
    tests: ['replica/verdict'],
  },
  {
    name: 'a list of a message may be of any length',
    file: 'replica/messages.ts',
    find: '  const count = reader.compactSize(max)\n',
    replace: '  const count = reader.compactSize(max === 0 ? 0 : 1e9)\n',
    tests: ['replica/messages'],
  },
  // ---- finality by agreement
  {
    name: 'a block that was decided and is not here is not asked for',
    file: 'finality/committee.ts',
    find: `        this.#want(value as BlockId, from)
        return false
`,
    replace: `        return false
`,
    tests: ['finality/committee', 'replica/finality'],
  },
  {
    name: 'a validator whose votes are lost votes again',
    file: 'finality/committee.ts',
    find: 'this.#createProtocol(votes.size > 0 || isFresh || this.#options.identity.mayForgetVotes)',
    replace: 'this.#createProtocol(true)',
    tests: ['finality/committee', 'replica/finality'],
  },
  {
    name: 'one who only followed has a record of votes',
    file: 'finality/committee.ts',
    find: `          if (this.#self === null) break
`,
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'after a restart who has stopped goes on',
    file: 'finality/committee.ts',
    find: `    if (conflict !== null) this.#halt(conflict)
`,
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'who has stopped still makes blocks final',
    file: 'finality/committee.ts',
    find: `  #applyAwaited(): void {
    if (this.#halted !== null) return
`,
    replace: `  #applyAwaited(): void {
`,
    tests: ['finality/committee'],
  },
  {
    name: 'a block of the height of the checkpoint may be any',
    file: 'replica/checkpoint.ts',
    find: 'height === checkpoint.height && id !== checkpoint.id',
    replace: 'height === checkpoint.height && id === null',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'only the block above the checkpoint is held against it',
    file: 'replica/checkpoint.ts',
    find: 'checkpoint !== null && height === checkpoint.height',
    replace: 'checkpoint !== null && height === checkpoint.height + 1',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'headers are not held against the checkpoint',
    file: 'replica/replica.ts',
    find: `      chain: (parent, header) => this.#chain(parent, header),
`,
    replace: `      chain: (parent, header) => chainHeader(this.genesis.work, parent, header, this.#nowSeconds()),
`,
    tests: ['replica/checkpoint'],
  },
  {
    name: 'blocks are not held against the checkpoint',
    file: 'replica/replica.ts',
    find: `    const chained = this.#chain(parent.chained, block.header)
`,
    replace: `    const chained = chainHeader(this.genesis.work, parent.chained, block.header, this.#nowSeconds())
`,
    tests: ['replica/checkpoint'],
  },
  {
    name: 'who sends another block than the checkpoint is punished',
    file: 'replica/verdict.ts',
    find: `'block-not-checkpoint': 'ignore'`,
    replace: `'block-not-checkpoint': 'punish'`,
    tests: ['replica/checkpoint'],
  },
  {
    name: 'the chain on disk is not held against the checkpoint',
    file: 'replica/checkpoint.ts',
    find: 'id !== null && id !== checkpoint.id',
    replace: 'id === undefined',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'branches on disk without the checkpoint stay',
    file: 'replica/checkpoint.ts',
    find: `  for (const entry of beside) writeDropped(outbox, tree.drop(entry))
`,
    replace: '',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'branches on disk without the checkpoint stay on disk',
    file: 'replica/checkpoint.ts',
    find: 'writeDropped(outbox, tree.drop(entry))',
    replace: 'tree.drop(entry)',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'a node mines below its checkpoint',
    file: 'replica/replica.ts',
    find: '    if (this.isCheckpointReached) this.#production.renew(',
    replace: '    this.#production.renew(',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'the owner is told again and again of blocks that are not the checkpoint',
    file: 'replica/replica.ts',
    find: `      this.#hasToldOfCheckpoint = true
`,
    replace: '',
    tests: ['replica/checkpoint'],
  },
  {
    name: 'the id of a checkpoint may be cut short',
    file: 'cli/checkpoint-option.ts',
    find: '[0-9a-f]{64}',
    replace: '[0-9a-f]{0,64}',
    tests: ['cli/checkpoint-option'],
  },
  {
    name: 'the height of a checkpoint may be nought',
    file: 'cli/checkpoint-option.ts',
    find: '[1-9][0-9]{0,14}',
    replace: '[0-9]{0,15}',
    tests: ['cli/checkpoint-option'],
  },
  {
    name: 'a chain without the checkpoint is a fault of quorate',
    file: 'cli/checkpoint-option.ts',
    find: `    EXIT.file,
`,
    replace: `    EXIT.fault,
`,
    tests: ['cli/checkpoint-option'],
  },
  {
    name: 'two certificates are no evidence',
    file: 'finality/committee.ts',
    find: 'if (one.view !== other.view)',
    replace: 'if (one !== other)',
    tests: ['finality/committee', 'finality/byzantine'],
  },
  {
    name: 'two certificates of two views are evidence against who signed both',
    file: 'finality/committee.ts',
    find: `  if (one.view !== other.view) return []
`,
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'a stop names all who signed both certificates',
    file: 'finality/committee.ts',
    find: '[...new Set(this.#evidence.all.map(({ member }) => member))]',
    replace: 'second.signatures.map(({ member }) => member)',
    tests: ['finality/committee'],
  },
  {
    name: 'a view change for the view of the commit must tell of it',
    file: 'consensus/pbft/omission.ts',
    find: 'view <= vote.view',
    replace: 'view < vote.view',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'a view change must tell of what is settled',
    file: 'consensus/pbft/omission.ts',
    find: 'sequence >= vote.sequence',
    replace: 'sequence > vote.sequence',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'a prepare must be told of in a view change',
    file: 'consensus/pbft/omission.ts',
    find: `vote.phase !== 'commit' || view`,
    replace: 'view',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'what was prepared in a later view does not stand for what was committed to',
    file: 'consensus/pbft/omission.ts',
    find: '(claim.view > vote.view || (claim.view === vote.view && claim.value === vote.value))',
    replace: 'claim.view === vote.view && claim.value === vote.value',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'another value of the view stands for what was committed to',
    file: 'consensus/pbft/omission.ts',
    find: '(claim.view === vote.view && claim.value === vote.value)',
    replace: 'claim.view === vote.view',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'of a member that leaves out what it committed to every view change is a proof',
    file: 'consensus/pbft/omission.ts',
    find: 'replica.omitters.has(vote.member) || ',
    replace: '',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'what a view change leaves out is not sought among decisions',
    file: 'consensus/pbft/omission.ts',
    find: '[...single, ...certificates.flatMap(certificate => votesIn(certificate, from))]',
    replace: 'single',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'what a view change leaves out is not sought when it comes',
    file: 'consensus/pbft/new-view.ts',
    find: `  onDeparture(replica, message)
`,
    replace: '',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'what the view changes of a new view leave out is not sought',
    file: 'consensus/pbft/new-view.ts',
    find: `  for (const change of viewChanges) onDeparture(replica, change)
`,
    replace: '',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'a late commit is not held against the view change that left it out',
    file: 'consensus/pbft/normal-case.ts',
    find: `  onLateVote(replica, vote)
`,
    replace: '',
    tests: ['consensus/pbft/omission'],
  },
  {
    name: 'a late certificate is not held against the view changes that left it out',
    file: 'consensus/pbft/settled.ts',
    find: `  for (const proof of known === null ? [certificate] : [known, certificate]) onLateVotes(replica, proof)
`,
    replace: '',
    tests: ['consensus/pbft/omission', 'finality/committee'],
  },
  {
    name: 'evidence takes a prepare for a commit that was left out',
    file: 'finality/evidence.ts',
    find: `  if (vote.phase !== 'commit') return 'the vote is no commit'
`,
    replace: '',
    tests: ['finality/evidence'],
  },
  {
    name: 'evidence takes a view change of the view of the commit',
    file: 'finality/evidence.ts',
    find: 'if (departure.view <= vote.view)',
    replace: 'if (departure.view < vote.view)',
    tests: ['finality/evidence'],
  },
  {
    name: 'evidence takes a view change after the commit was settled',
    file: 'finality/evidence.ts',
    find: 'if (departure.sequence >= vote.sequence)',
    replace: 'if (departure.sequence > vote.sequence)',
    tests: ['finality/evidence'],
  },
  {
    name: 'evidence does not mind that the view change tells of a later view',
    file: 'finality/evidence.ts',
    find: `    if (view > vote.view) return 'the view change tells of a later view than that of the vote'
`,
    replace: '',
    tests: ['finality/evidence'],
  },
  {
    name: 'evidence does not mind that the view change tells of the commit',
    file: 'finality/evidence.ts',
    find: `    if (view === vote.view && value === vote.value) return 'the view change tells of what was voted for'
`,
    replace: '',
    tests: ['finality/evidence'],
  },
  {
    name: 'the second signature of evidence is not checked',
    file: 'finality/evidence.ts',
    find: 'of statementsOf(read))',
    replace: 'of statementsOf(read).slice(0, 1))',
    tests: ['finality/evidence'],
  },
  {
    name: 'a file of two votes must say of what kind it is',
    file: 'finality/evidence.ts',
    find: `  if (!fields.has('type')) return 'contradiction'
`,
    replace: '',
    tests: ['finality/evidence'],
  },
  {
    name: 'a commit that was left out is stored like two votes',
    file: 'finality/evidence-record.ts',
    find: `const OMISSION_BYTE = PHASE_BYTES['view-change']`,
    replace: 'const OMISSION_BYTE = PHASE_BYTES.commit',
    tests: ['finality/evidence'],
  },
  {
    name: 'a commit and two votes of one place are one lie',
    file: 'finality/evidence-log.ts',
    find: 'a.type === b.type && ',
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'the oracle does not read whom a stop names',
    file: 'sim/oracle/agreement-oracle.ts',
    find: `    this.#checkNamed(node, effect.text)
`,
    replace: '',
    tests: ['sim/oracle/agreement-oracle'],
  },
  {
    name: 'the oracle takes for an omission what the view change tells of',
    file: 'sim/oracle/naive-votes.ts',
    find: `    if (told.some(({ view, value }) => view !== vote.view || value === vote.value)) return false
`,
    replace: '',
    tests: ['sim/oracle/naive-votes'],
  },
  {
    name: 'a hello may be passed off by another peer',
    file: 'finality/envelope.ts',
    find: `    .bytes(new TextEncoder().encode(peer))
`,
    replace: `    .bytes(new Uint8Array(peer === peer ? 0 : 1))
`,
    tests: ['finality/committee', 'finality/envelope'],
  },
  {
    name: 'a peer that does not give a block is asked for ever',
    file: 'finality/committee.ts',
    find: `        this.#retries += 1
`,
    replace: '',
    tests: ['finality/committee', 'replica/finality'],
  },
  {
    name: 'what follows from an input of the protocol does not wait for its turn',
    file: 'finality/committee.ts',
    find: `    if (this.#inputs.length > 1) return
`,
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'an empty block may come at any time',
    file: 'finality/pbft.ts',
    find: 'return chain.transactionCount(id) > 0 || header.time * 1000 >= this.#heartbeatMs(last)',
    replace: 'return chain !== null || header.time * 1000 >= this.#heartbeatMs(last) || id === null',
    tests: ['finality/pbft'],
  },
  {
    name: 'a vote needs the block on our best branch',
    file: 'finality/hybrid.ts',
    find: "return this.#isBuried(block, chain) ? 'valid' : 'unknown'",
    replace:
      "return chain.ancestor(block.height) === block.id && this.#isBuried(block, chain) ? 'valid' : 'unknown'",
    tests: ['finality/hybrid'],
  },
  {
    name: 'a block beside the last final one may be finalised',
    file: 'finality/hybrid.ts',
    find: 'if (block.height <= last.block.height || !descends(block, last.block, chain))',
    replace: 'if (block.height <= last.block.height)',
    tests: ['finality/hybrid'],
  },
  {
    name: 'a lone block above the last decision may be finalised',
    file: 'finality/hybrid.ts',
    find: "if (isReproposed) return 'valid'",
    replace: "if (isReproposed || this.#rule.depth >= 0) return 'valid'",
    tests: ['finality/hybrid'],
  },
  {
    name: 'where liars undercut, a lone block above the last decision may be finalised',
    file: 'finality/hybrid.ts',
    find: "return this.#isBuried(block, chain) ? 'valid' : 'unknown'",
    replace: "return this.#isBuried(block, chain) || block.height > 0 ? 'valid' : 'unknown'",
    tests: ['sim/oracle/candidate-oracle'],
  },
  {
    name: 'a candidate need not be buried',
    file: 'finality/hybrid.ts',
    find: 'const leastHeight = block.height + this.#rule.depth',
    replace: 'const leastHeight = block.height',
    tests: ['finality/hybrid', 'finality/committee'],
  },
  {
    name: 'the branch that buries a candidate may have any work',
    file: 'finality/hybrid.ts',
    find: ' || tip.work < leastWork',
    replace: '',
    tests: ['finality/hybrid'],
  },
  {
    name: 'the branch that buries a candidate must have as much work as our head',
    file: 'finality/hybrid.ts',
    find: 'head.work - BigInt(this.#rule.depth) * workOfBlock(head)',
    replace: 'head.work + 0n * workOfBlock(head)',
    tests: ['finality/hybrid'],
  },
  {
    name: 'a candidate may follow the last decision at once, whatever the interval',
    file: 'finality/hybrid.ts',
    find: "    if (block.height < last.block.height + this.#rule.interval) return 'invalid'\n",
    replace: '',
    tests: ['finality/hybrid'],
  },
  {
    name: 'a candidate that is not buried yet is refused for good',
    file: 'finality/hybrid.ts',
    find: "? 'valid' : 'unknown'",
    replace: "? 'valid' : 'invalid'",
    tests: ['finality/hybrid'],
  },
  {
    name: 'what a new view proposes again must be buried too',
    file: 'finality/hybrid.ts',
    find: "    if (isReproposed) return 'valid'\n",
    replace: '',
    tests: ['finality/hybrid', 'finality/committee'],
  },
  {
    name: 'the application is not told what a new view proposes again',
    file: 'consensus/pbft/normal-case.ts',
    find: 'application.validate(sequence, value, { isReproposed })',
    replace: 'application.validate(sequence, value, { isReproposed: false })',
    tests: ['finality/committee'],
  },
  {
    name: 'blocks that many branches share are looked up for each of them',
    file: 'finality/hybrid.ts',
    find: '    walked.add(at.id)\n',
    replace: '',
    tests: ['finality/hybrid'],
  },
  {
    name: 'a proposal is not looked at again when the node follows another branch',
    file: 'finality/committee.ts',
    find: `        // The node may now follow what was decided, on another branch than before.
        this.#drive({ type: 'revalidate' })
`,
    replace: '',
    tests: ['finality/committee'],
  },
  {
    name: 'the end of a branch is one for ever',
    file: 'replica/block-tree.ts',
    find: '    this.#tips.delete(parent)\n',
    replace: '',
    tests: ['replica/block-tree'],
  },
  {
    name: 'branches that were dropped still have their ends',
    file: 'replica/block-tree.ts',
    find: '    for (const entry of dropped) this.#tips.delete(entry)\n',
    replace: '',
    tests: ['replica/block-tree'],
  },
  {
    name: 'checkpoints are finalised one after the other',
    file: 'finality/hybrid.ts',
    find: '? chain.ancestor(height) : null',
    replace: '? chain.ancestor(block.height + this.#rule.interval) : null',
    tests: ['finality/hybrid'],
  },
  {
    name: 'a certificate for a lighter branch is ignored',
    file: 'replica/replica.ts',
    find: `    if (!this.#tree.isOnMainChain(entry)) this.#follow(this.#bestAbove(entry))
`,
    replace: `    if (!this.#tree.isOnMainChain(entry)) return void this.#bestAbove
`,
    tests: ['replica/finality'],
  },
  {
    name: 'certificates are not kept',
    file: 'replica/replica.ts',
    find: `    if (certificate !== null) writeCertificate(this.#outbox, final, certificate)
`,
    replace: `    void [certificate, writeCertificate]
`,
    tests: ['replica/finality'],
  },
  {
    name: 'blocks of strangers are taken in where only certificates count',
    file: 'replica/replica.ts',
    find: `    if (!this.finality.followsWork) {
`,
    replace: `    if (this.finality === null) {
`,
    tests: ['replica/finality'],
  },
  {
    name: 'any block that comes with a message is taken in',
    file: 'replica/replica.ts',
    find: `    this.#attached = block
`,
    replace: `    this.#attached = block
    if (block !== null && this.#tree.has(block.header.previous)) this.#connect(block)
`,
    tests: ['replica/finality'],
  },
  {
    name: 'a wanted block is followed up to the head of its peer',
    file: 'replica/sync.ts',
    find: 'return { headers: kept.slice(0, end + 1), isPart: false }',
    replace: 'return { headers: end < 0 ? [] : kept, isPart: false }',
    tests: ['replica/finality'],
  },
  {
    name: 'what follows from a step of the finality layer does not wait for its turn',
    file: 'replica/finality-driver.ts',
    find: `    if (this.#inputs.length > 1) return
`,
    replace: '',
    tests: ['replica/finality-driver'],
  },
  {
    name: 'a block that is wanted takes the place of the one that was wanted before',
    file: 'replica/sync.ts',
    find: '!this.#peers.has(from) || this.#wanted !== null) return',
    replace: '!this.#peers.has(from) || this.#wanted?.id === id) return',
    tests: ['replica/finality'],
  },
  // ---- more branches than there is room for
  {
    name: 'a block that is needed is refused for lack of room',
    file: 'replica/replica.ts',
    find: 'if (!isNeeded && !isPreferred && ',
    replace: 'if (!isPreferred && ',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'the main chain has a cap',
    file: 'replica/block-tree.ts',
    find: 'return this.#blocks.size - this.#mainChain.length',
    replace: 'return this.#blocks.size',
    tests: ['replica/block-tree'],
  },
  {
    name: 'a block beside the main chain always finds room',
    file: 'replica/replica.ts',
    find: 'return lightest !== null && lightest.chained.work < chained.work',
    replace: 'return true',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'beside the main chain the one that came first makes room',
    file: 'replica/block-tree.ts',
    find: '  if (a.chained.work !== b.chained.work) return a.chained.work < b.chained.work\n',
    replace: '',
    tests: ['replica/block-tree', 'replica/side-blocks'],
  },
  {
    name: 'of equally heavy tips the earlier makes room',
    file: 'replica/block-tree.ts',
    find: 'return a.arrival > b.arrival',
    replace: 'return a.arrival < b.arrival',
    tests: ['replica/block-tree', 'replica/side-blocks'],
  },
  {
    name: 'what is evicted stays on disk',
    file: 'replica/replica.ts',
    find: '    writeDropped(this.#outbox, evicted)\n',
    replace: '    void [writeDropped, evicted]\n',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'a parent whose last child was evicted is no tip',
    file: 'replica/block-tree.ts',
    find: '      this.#tips.add(parent)\n',
    replace: '',
    tests: ['replica/block-tree'],
  },
  {
    name: 'a branch that is being fetched makes room for others',
    file: 'replica/sync.ts',
    find: '      id === next?.header.previous ||\n',
    replace: '      next === null ||\n',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'a block that was voted for makes room for others',
    file: 'finality/committee.ts',
    find: "    this.#emit({ type: 'hold', id: block.id })\n",
    replace: '',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'a block that was voted for before a restart makes room for others',
    file: 'finality/committee.ts',
    find: "    for (const id of votedFor(votes.values())) this.#emit({ type: 'hold', id })\n",
    replace: '    void votedFor\n',
    tests: ['replica/side-blocks'],
  },
  {
    name: 'the rest of a branch of which a part was fetched is not asked for where that ended',
    file: 'replica/sync.ts',
    find: '(this.#resume?.source === peer ? this.#resume.id : null)',
    replace: 'null',
    tests: ['replica/long-branch'],
  },
  {
    name: 'all headers of a branch are kept, however long it is',
    file: 'replica/header-branch.ts',
    find: 'if (this.#kept.length < this.#keptMax) ',
    replace: '',
    tests: ['replica/long-branch', 'replica/finality'],
  },
  {
    name: 'a peer is asked on without end for a branch that proves nothing',
    file: 'replica/sync.ts',
    find: 'if (headers < peer.patience) return true',
    replace: 'if (headers >= 0) return true',
    tests: ['replica/long-branch'],
  },
  {
    name: 'a branch that was cut off is cut off at the same length for ever',
    file: 'replica/sync.ts',
    find: '    peer.patience *= 2\n',
    replace: '',
    tests: ['replica/long-branch'],
  },
  {
    name: 'who claims the most is always asked first',
    file: 'replica/sync.ts',
    find: '    peer.emptyTurn = this.#emptyTurns\n',
    replace: '',
    tests: ['replica/long-branch'],
  },
  {
    name: 'what is wanted while a block is connected makes the next one be passed over',
    file: 'replica/sync.ts',
    find: '    if (this.#isConnecting) return\n',
    replace: '',
    tests: ['replica/finality'],
  },
  // ---- PBFT
  {
    name: 'a quorum is 2f + 1 for every n',
    file: 'consensus/pbft/quorum.ts',
    find: 'return n - faultsTolerated(n)',
    replace: 'return 2 * faultsTolerated(n) + 1',
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'commits of several views make one certificate',
    file: 'consensus/pbft/slot.ts',
    find: `vote.view === view && vote.value === value)
`,
    replace: `vote.value === value)
`,
    tests: ['consensus/pbft/conformance'],
  },
  {
    name: 'the proof of a decision may have votes of several views',
    file: 'consensus/pbft/certificate.ts',
    find: 'signing.isSigned(vote, member, signature))',
    replace: '[0, 1, 2, 3].some(view => signing.isSigned({ ...vote, view }, member, signature)))',
    tests: ['consensus/pbft/plays'],
  },
  {
    name: 'a vote is sent before it is on disk',
    file: 'consensus/outbox.ts',
    find: 'return [...records, ...effects]',
    replace: 'return [...effects, ...records]',
    tests: ['consensus/pbft/claims', 'consensus/pbft/conformance', 'consensus/pbft/plays'],
  },
  {
    name: 'a replica forgets its votes when it restarts',
    file: 'consensus/pbft/replica.ts',
    find: `        slot.accepted = { view, value, proposal }
        slot.prepared = prepared
`,
    replace: `        slot.committed = null && { view, value, proposal, prepared }
`,
    tests: ['consensus/pbft/plays', 'consensus/pbft/conformance'],
  },
  {
    name: 'what a new view proposes again is not computed anew',
    file: 'consensus/pbft/view-change.ts',
    find: 'return isExpected && signing.isSigned(',
    replace: 'return (isExpected || true) && signing.isSigned(',
    tests: ['consensus/pbft/claims', 'finality/byzantine'],
  },
  {
    name: 'the first prepared value is proposed again, not the one of the highest view',
    file: 'consensus/pbft/view-change.ts',
    find: 'if (known === undefined || claim.view > known.view)',
    replace: 'if (known === undefined)',
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'f + 1 who leave a view take nobody along',
    file: 'consensus/pbft/new-view.ts',
    find: `    leaveFor(replica, Math.min(...later))
`,
    replace: `    return
`,
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'entering a view makes the timeout short again',
    file: 'consensus/pbft/new-view.ts',
    find: 'if (replica.isActive || view !== replica.view) replica.patience.stop()',
    replace: 'replica.patience.succeed()',
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'a checkpoint is stable with f + 1 attestations',
    file: 'consensus/pbft/replica.ts',
    find: 'new Checkpoints(this.quorum)',
    replace: 'new Checkpoints(n - this.quorum + 1)',
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'a certificate may count a member twice',
    file: 'consensus/pbft/certificate.ts',
    find: 'member > signatures[index - 1]!.member',
    replace: 'member >= signatures[index - 1]!.member',
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'a view change counts as often as it is there',
    file: 'consensus/pbft/view-change.ts',
    find: 'senders.size !== viewChanges.length || senders.size < quorumOf(n)',
    replace: 'viewChanges.length < quorumOf(n)',
    tests: ['consensus/pbft/claims', 'finality/byzantine'],
  },
  {
    name: 'a new view begins with any number of view changes',
    file: 'consensus/pbft/view-change.ts',
    find: 'senders.size !== viewChanges.length || senders.size < quorumOf(n)',
    replace: 'senders.size !== viewChanges.length',
    tests: ['consensus/pbft/claims', 'finality/byzantine'],
  },
  {
    name: 'a view change for another view counts in a new view',
    file: 'consensus/pbft/view-change.ts',
    find: `  if (viewChanges.some(change => change.view !== view)) return false
`,
    replace: '',
    tests: ['finality/byzantine'],
  },
  {
    name: 'a view change counts for whoever it names',
    file: 'consensus/pbft/view-change.ts',
    find: 'if (!isInOrder || !signing.isSigned(viewChangeStatement(message), from, message.signature)) return false',
    replace: 'if (!isInOrder) return false',
    tests: ['finality/byzantine'],
  },
  {
    name: 'a new view may propose less than it must',
    file: 'consensus/pbft/view-change.ts',
    find: 'if (expected.length !== proposals.length) return false',
    replace: 'if (expected.length < proposals.length) return false',
    tests: ['finality/byzantine'],
  },
  {
    name: 'of one member all checkpoints far ahead are kept',
    file: 'consensus/pbft/checkpoints.ts',
    find: `    if (votes.size > VOTES_PER_MEMBER_MAX) votes.delete(Math.min(...votes.keys()))
`,
    replace: '',
    tests: ['finality/byzantine'],
  },
  {
    name: 'a vote is good on every chain with the same genesis and validators',
    file: 'finality/signing.ts',
    find: '    .u64(domain.chainId)\n',
    replace: '',
    tests: ['finality/byzantine'],
  },
  {
    name: 'a number beyond all bounds is read',
    file: 'finality/encoding.ts',
    find: `  if (value > BigInt(NUMBER_MAX)) throw new MalformedBytes('number out of bounds')
`,
    replace: '',
    tests: ['finality/byzantine'],
  },
  {
    name: 'what stands after the end of a message is passed over',
    file: 'finality/wire.ts',
    find: `    reader.end()
    return result
`,
    replace: `    return result
`,
    tests: ['finality/byzantine'],
  },
  {
    name: 'a vote counts for whoever it names',
    file: 'consensus/pbft/normal-case.ts',
    find: `    if (!replica.options.signing.isSigned(vote, member, signature)) return replica.refuse('signature-invalid')
`,
    replace: '',
    tests: ['consensus/pbft/plays', 'consensus/pbft/claims'],
  },
  {
    name: 'a replica commits before it is prepared',
    file: 'consensus/pbft/normal-case.ts',
    find: "slot.certificate('prepare', accepted, replica.quorum)",
    replace: "slot.certificate('prepare', accepted, 1)",
    tests: ['consensus/pbft/claims', 'consensus/pbft/plays'],
  },
  {
    name: 'what a view change claims to have prepared is believed',
    file: 'consensus/pbft/view-change.ts',
    find: '.every(proof => isCertificate(proof, n, signing))',
    replace: '.every(proof => proof !== null || isCertificate(proof, n, signing))',
    tests: ['consensus/pbft/claims', 'finality/byzantine'],
  },
  {
    name: 'a second decision takes the place of the first',
    file: 'consensus/pbft/settled.ts',
    find: `  if (known !== null) return replica.halt({ type: 'conflict', first: known, second: certificate })
`,
    replace: '',
    tests: ['consensus/pbft/claims'],
  },
  {
    name: 'what the primary of a new view says besides takes the place of what it proposes again',
    file: 'consensus/pbft/normal-case.ts',
    find: `  if (sequence <= replica.reproposed)
    return replica.newView?.proposals.find(proposal => proposal.sequence === sequence)
`,
    replace: '',
    tests: ['consensus/pbft/claims'],
  },
  {
    name: 'how a view began is not kept',
    file: 'consensus/pbft/new-view.ts',
    find: `  replica.outbox.persist(NEW_VIEW_KEY, { type: 'new-view', message })
`,
    replace: '',
    tests: ['consensus/pbft/claims', 'consensus/pbft/conformance'],
  },
  {
    name: 'a decision that is learnt while leaving a view ends the waiting for the next',
    file: 'consensus/pbft/normal-case.ts',
    find: 'if (replica.isActive) replica.patience.succeed()',
    replace: 'replica.patience.succeed()',
    tests: ['consensus/pbft/claims'],
  },
  {
    name: 'who asks for a later view is not counted among those who gave ours up',
    file: 'consensus/pbft/new-view.ts',
    find: 'if (asking.length >= replica.quorum) replica',
    replace: 'if (asking.filter(({ view }) => view === replica.view).length >= replica.quorum) replica',
    tests: ['consensus/pbft/claims'],
  },
  {
    name: 'a replica votes above the high watermark',
    file: 'consensus/pbft/replica.ts',
    find: 'const high = this.low + this.rules.window',
    replace: 'const high = this.low + 1e6 * this.rules.window',
    tests: ['consensus/pbft/claims'],
  },
  {
    name: 'a new view takes the lowest prepared value, not the highest',
    file: 'consensus/pbft/view-change.ts',
    find: 'claim.view > known.view',
    replace: 'claim.view < known.view',
    tests: ['consensus/twins'],
  },
  {
    name: 'who leaves a view forgets what it prepared',
    file: 'consensus/pbft/new-view.ts',
    find: '  settleDecided(replica)\n  sendViewChange(replica)',
    replace:
      '  for (const slot of replica.log.values()) slot.prepared = null\n  settleDecided(replica)\n  sendViewChange(replica)',
    tests: ['consensus/twins'],
  },
  {
    name: 'a vote of ours that contradicts another one under our key is said all the same',
    file: 'consensus/pbft/normal-case.ts',
    find: 'vote?.view !== view || vote.value !== value',
    replace: 'vote === undefined',
    tests: ['consensus/pbft/claims'],
  },
]
