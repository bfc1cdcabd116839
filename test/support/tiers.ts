/**
 * The tiers of the suite: which tests of a slow file (`*.slow.test.ts`) a run has.
 *
 * `npm test` runs the fast files and the sample of the slow ones, `npm run test:all` everything.
 * vitest's mode names the tier: `--mode sample`, `--mode rest` for what the sample leaves out,
 * `--mode long` for hunts of minutes; any other mode is all. What a tier leaves out is not
 * registered, so that nothing is reported as skipped.
 *
 * **Gotchas**
 *
 * - `sampleOf` counts the tests of its file as they are registered: call it once in a file, at its
 *   top. Slow files share no modules, as they have a process each.
 * - A plain `it` runs in every tier. In a slow file it belongs to tests whose cases are a share.
 */

export type Tier = "sample" | "rest" | "all" | "long"

/** How a random search begins, and how long it goes on. */
export interface Hunt {
  readonly seed: number
  readonly runs: number
}

/** What a hunt is where nobody says otherwise. */
export interface HuntPlan extends Hunt {
  /** Runs of `npm run test:long`. */
  readonly long: number
  /** Whether its file is a fast one, so that the sample has all of it. */
  readonly isFast?: boolean
}

/** The tier that a run was started with. */
export const tierOf = (name: string | undefined): Tier =>
  name === "sample" || name === "rest" || name === "long" ? name : "all"

/**
 * `register`, and all that it leads to (`it.live`, `it.each(…)`), for the tests that `takes` says.
 */
const filtered = <It extends object>(register: It, takes: () => boolean): It =>
  new Proxy(register, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? filtered(member, takes) : member
    },
    apply: (target, self, args: ReadonlyArray<unknown>): unknown => {
      const call = (): unknown => Reflect.apply(target as unknown as () => unknown, self, args)
      // A title makes it a test; a table or a condition only leads to one.
      if (typeof args[0] === "string") return takes() ? call() : undefined
      const made = call()
      return typeof made === "function" ? filtered(made, takes) : made
    }
  })

/** What slow files ask of their tier. `env` has a hunt's `NAME_SEED` and `NAME_RUNS`. */
export const makeTiers = (
  tier: Tier,
  env: Readonly<Record<string, string | undefined>>,
  fresh: () => number = Date.now,
  print: (line: string) => void = console.log
) => {
  const hasSample = tier === "sample" || tier === "all"
  const hasRest = tier === "rest" || tier === "all"
  const isTaken = (isSampled: boolean): boolean => isSampled ? hasSample : hasRest

  return {
    /** Every nth test that is registered is of the sample, from the first on. */
    sampleOf: <It extends object>(it: It, nth: number): It => {
      let count = 0
      return filtered(it, () => isTaken(count++ % nth === 0))
    },

    /** Registers tests that the sample leaves out. */
    restOf: <It extends object>(it: It): It => filtered(it, () => hasRest),

    /** Registers tests that the sample has. */
    sampled: <It extends object>(it: It): It => filtered(it, () => hasSample),

    /** The cases of this tier: those that fit are of the sample. */
    shareOf: <A>(cases: ReadonlyArray<A>, isSampled: (value: A, index: number) => boolean): ReadonlyArray<A> =>
      cases.filter((value, index) => isTaken(isSampled(value, index))),

    /** Registers tests that the sample leaves out, and that a long run makes more of. */
    lengthy: <It extends object>(it: It): It => filtered(it, () => tier !== "sample"),

    /** How much of something this tier has. All is as much as the rest. */
    amount: ({ long, rest, sample }: Readonly<Record<"sample" | "rest" | "long", number>>): number =>
      tier === "sample" ? sample : tier === "long" ? long : rest,

    /**
     * The seed and the runs of this tier. The sample has the first quarter of the seeds, the rest
     * goes on from there, and a long hunt begins at a seed that no run has had, which it prints.
     */
    hunt: (name: string, { isFast = false, long, runs, seed }: HuntPlan): Hunt => {
      const quarter = isFast ? runs : Math.ceil(runs / 4)
      const usual: Readonly<Record<Tier, Hunt>> = {
        sample: { seed, runs: quarter },
        rest: { seed: seed + quarter, runs: runs - quarter },
        all: { seed, runs },
        long: { seed: fresh() % 1_000_000_000, runs: long }
      }
      const found = {
        seed: Number(env[`${name}_SEED`] ?? usual[tier].seed),
        runs: Number(env[`${name}_RUNS`] ?? usual[tier].runs)
      }
      if (tier === "long") print(`${name}_SEED=${found.seed} ${name}_RUNS=${found.runs}`)
      return found
    }
  }
}

/** Fits the first value of each key. */
export const firstOfEach = <A>(key: (value: A) => unknown): (value: A) => boolean => {
  const seen = new Set<unknown>()
  return (value) => {
    const { size } = seen
    return seen.add(key(value)).size > size
  }
}

const tier: Tier = tierOf(process.env["TEST_TIER"])

export const { amount, hunt, lengthy, restOf, sampled, sampleOf, shareOf } = makeTiers(tier, process.env)
