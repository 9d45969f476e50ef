/** Random choices that a seed determines. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to 1, by mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `bound`. */
  below(bound) {
    return Math.floor(this.next() * bound);
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Some of a list, each with the same probability, in the list's order. */
  some(list, probability) {
    return list.filter(() => this.chance(probability));
  }
}

/** How often each feature was met, and the choice of those that were met least. */
export class Counts {
  #counts = new Map();

  add(feature) {
    this.#counts.set(feature, this.of(feature) + 1);
  }

  of(feature) {
    return this.#counts.get(feature) ?? 0;
  }

  entries() {
    return [...this.#counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The rarest of a few options that are drawn at random. */
  rarest(random, options, featureOf, draws = 3) {
    const drawn = Array.from({ length: draws }, () => random.pick(options));
    return drawn.reduce((best, option) => (this.of(featureOf(option)) < this.of(featureOf(best)) ? option : best));
  }
}
