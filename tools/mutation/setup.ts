import fc from 'fast-check'

// One seed, so that a mutant is killed in every run or in none; and the first counterexample is enough.
fc.configureGlobal({ seed: 3, endOnFailure: true })
