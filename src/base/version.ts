/**
 * What a release raises, and nothing else does: docs/specs/upgrades.md, "Raising a version". The drill of upgrades
 * builds a version to come by putting another module in the place of this one.
 */

/** The version of this software, as package.json has it. */
export const version = '0.1.0'
/** Of homes and stores: the highest format that it reads, and what it makes. */
export const formatNumber = 1
/** Of what is said on a channel: the lowest and the highest version that it speaks. */
export const wireVersions: { min: number; max: number } = { min: 1, max: 1 }
