/** Any function, as it is called. */
export type Call = (this: unknown, ...args: unknown[]) => unknown

/** Told of a call before it is made; `below` is the function that was called, where its caller's stack begins. */
export type Listener = (args: readonly unknown[], below: Call) => void

/**
 * Listens to calls of Node's own functions by taking their place. While a listener or a listened call is at work, what these call
 * themselves is not told: it is one call of the user's.
 */
export class Taps {
  private depth = 0
  private listening = true

  /** Whether a call made now is the user's or a package's. */
  get idle(): boolean {
    return this.depth === 0 && this.listening
  }

  /** Runs something without being told of what it calls. */
  quietly<T>(work: () => T): T {
    this.depth++
    try {
      return work()
    } finally {
      this.depth--
    }
  }

  /** Listens no more; the functions stay as they are. */
  stop(): void {
    this.listening = false
  }

  /** Takes the place of methods; one that this version of Node does not have is left out. */
  methods(owner: object, names: readonly string[], listener: (name: string) => Listener): void {
    for (const name of names) {
      const original: unknown = Reflect.get(owner, name)
      if (typeof original === 'function') this.define(owner, name, this.around(name, original as Call, listener(name)))
    }
  }

  /** Takes the place of an accessor. */
  getter(owner: object, name: string, listener: Listener): void {
    const { get } = Object.getOwnPropertyDescriptor(owner, name) ?? {}
    if (get === undefined) return
    const tapped = this.around(name, get as Call, listener)
    Object.defineProperty(owner, name, {
      ...Object.getOwnPropertyDescriptor(owner, name),
      get: tapped as () => unknown,
    })
  }

  /** Takes the place of a value that never changes. */
  value(owner: object, name: string, listener: Listener): void {
    const { value, enumerable = true } = Object.getOwnPropertyDescriptor(owner, name) ?? {}
    if (value === undefined) return
    const get = this.around(name, () => value, listener) as () => unknown
    Object.defineProperty(owner, name, { get, enumerable, configurable: true })
  }

  /** Takes the place of a class; its name may be an accessor that loads it when it is first used. */
  class(owner: object, name: string, listener: Listener): void {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)
    const tapped = new WeakMap<object, object>()
    const replace = (original: unknown): unknown => {
      if (typeof original !== 'function') return original
      const known = tapped.get(original) ?? this.constructed(original as Call, listener)
      tapped.set(original, known)
      return known
    }
    if (descriptor?.get !== undefined) {
      const { get } = descriptor
      Object.defineProperty(owner, name, {
        ...descriptor,
        get(this: unknown) {
          return replace(Reflect.apply(get, this, []))
        },
      })
    } else if (descriptor !== undefined) this.define(owner, name, replace(descriptor.value))
  }

  private constructed(original: Call, listener: Listener): object {
    const taps = this
    const handler: ProxyHandler<Call> = {
      construct(target, args: unknown[], newTarget) {
        if (taps.idle) taps.quietly(() => listener(args, handler.construct as Call))
        return taps.quietly(() => Reflect.construct(target, args, newTarget) as object)
      },
    }
    return new Proxy(original, handler)
  }

  private around(name: string, original: Call, listener: Listener): Call {
    const taps = this
    const holder = {
      [name](this: unknown, ...args: unknown[]): unknown {
        if (!taps.idle) return Reflect.apply(original, this, args)
        taps.depth++
        try {
          listener(args, tapped)
          return Reflect.apply(original, this, args)
        } finally {
          taps.depth--
        }
      },
    }
    const tapped = holder[name]!
    // `fs.realpath.native`, `process.hrtime.bigint`, the forms that util.promisify takes …
    Object.defineProperties(tapped, Object.getOwnPropertyDescriptors(original))
    return tapped
  }

  private define(owner: object, name: string, value: unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name)
    if (descriptor?.configurable === false && descriptor.writable !== true) return
    if (descriptor === undefined || descriptor.get !== undefined)
      Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: true })
    else Object.defineProperty(owner, name, { ...descriptor, value })
  }
}
