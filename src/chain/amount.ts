// Amounts of money as people write them. The unit of account is the wei; a coin is 10^18 wei, as ether is.
// Parsing is exact: what is finer than a wei, or is no plain decimal number, is refused.

const DECIMALS: Readonly<Record<string, number>> = { coin: 18, gwei: 9, wei: 0 }
const AMOUNT_PATTERN = /^(\d{1,60})(?:\.(\d{1,18}))?(?: ?(coin|gwei|wei))?$/

/** Wei in `1.5` (coins), `1.5coin`, `10gwei` or `100wei`; null when it is no amount or finer than a wei. */
export function parseAmount(text: string): bigint | null {
  const match = AMOUNT_PATTERN.exec(text)
  if (match === null) return null
  const [, whole, fraction = '', unit = 'coin'] = match
  const decimals = DECIMALS[unit]!
  if (fraction.length > decimals) return null
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** Wei as coins, without trailing zeros: `1.5`, `0.000000000000000001`. */
export function formatAmount(wei: bigint): string {
  const digits = (wei < 0n ? -wei : wei).toString().padStart(19, '0')
  const fraction = digits.slice(-18).replace(/0+$/, '')
  return `${wei < 0n ? '-' : ''}${digits.slice(0, -18)}${fraction === '' ? '' : `.${fraction}`}`
}
