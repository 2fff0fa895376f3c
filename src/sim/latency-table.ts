// How far nodes are from each other: round trips between the places that they stand in, and how much they vary.
//
// Between continents: medians between AWS regions, one for each of five continents, as CloudPing publishes them
// (cloudping.co, "AWS Latency Monitoring"), rounded to 10 ms; they move by a few per cent from year to year. Within one
// region: three availability zones, of which "Measuring AWS Region and AZ Latency" (xkyle.com, 2020) found round trips
// from 0.25 to 3.4 ms. A local network is one switch: half a millisecond, by J. Dean's "Numbers Everyone Should Know".

/** The tables by the names that the command line knows. */
export const LATENCY_TABLES = ['lan', 'region', 'continents'] as const

/** One of these names. */
export type LatencyName = (typeof LATENCY_TABLES)[number]

/** Places, and the milliseconds there and back between each two and within one. */
export interface LatencyTable {
  readonly places: readonly string[]
  readonly roundTripMs: readonly (readonly number[])[]
}

/** Share of the way that a message takes longer on average: queues on the way. */
export const JITTER = 0.05

const TABLES: Readonly<Record<LatencyName, LatencyTable>> = {
  lan: { places: ['switch'], roundTripMs: [[0.5]] },
  region: {
    places: ['zone a', 'zone b', 'zone c'],
    roundTripMs: [
      [0.3, 1, 1.5],
      [1, 0.3, 1],
      [1.5, 1, 0.3],
    ],
  },
  continents: {
    places: ['N. Virginia', 'São Paulo', 'Ireland', 'Cape Town', 'Tokyo'],
    roundTripMs: [
      [1, 120, 70, 230, 150],
      [120, 1, 180, 340, 260],
      [70, 180, 1, 160, 200],
      [230, 340, 160, 1, 350],
      [150, 260, 200, 350, 1],
    ],
  },
}

/** A table by its name. */
export function latencyTable(name: LatencyName): LatencyTable {
  return TABLES[name]
}

/** Milliseconds one way between the nodes of these places in the cast: they stand in the places of the table in turn. */
export function oneWayMs({ places, roundTripMs }: LatencyTable, from: number, to: number): number {
  return roundTripMs[from % places.length]![to % places.length]! / 2
}

/** The longest way of a table, in milliseconds. */
export function longestWayMs({ roundTripMs }: LatencyTable): number {
  return Math.max(...roundTripMs.flat()) / 2
}
