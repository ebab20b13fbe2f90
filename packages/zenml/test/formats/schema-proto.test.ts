import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSchema, encodeSchema, parseSchema, printSchema, type Schema } from '../../src/formats/schema-proto.ts'

const tfdv = fileURLToPath(new URL('../../../../../shared/tfx/schema_gen/schema.pbtxt', import.meta.url))

function parsed(text: string): Schema {
  const result = parseSchema(text)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

function problems(text: string): string[] {
  const result = parseSchema(text, 'schema.pbtxt')
  expect(result.ok).toBe(false)
  return result.ok
    ? []
    : result.error.map(({ code, file, line, column, message }) => `${code} ${file}:${line}:${column} ${message}`)
}

const full = `feature {
  name: "company"
  value_count {
    min: 1
    max: 1
  }
  type: BYTES
  domain: "company"
  presence {
    min_fraction: 1.0
    min_count: 1
  }
  skew_comparator {
    infinity_norm {
      threshold: 0.01
    }
  }
  not_in_environment: "SERVING"
  in_environment: "TRAINING"
  drift_comparator {
    jensen_shannon_divergence {
      threshold: 1e-05
      source {
        type: QUANTILES
      }
    }
  }
  lifecycle_stage: PRODUCTION
}
feature {
  name: "fare"
  type: FLOAT
  float_domain {
    min: 0.1
    max: inf
    disallow_nan: true
  }
  distribution_constraints {
    min_domain_mass: 0.95
  }
  annotation {
    tag: "money"
    comment: "in dollars"
  }
  group_presence {
    required: true
  }
  shape {
    dim {
      size: 1
    }
  }
}
feature {
  name: "id"
  type: INT
  int_domain {
    min: -9223372036854775808
    max: 9223372036854775807
    is_categorical: true
  }
}
feature {
  name: "paid"
  bool_domain {
    true_value: "yes"
    false_value: "no"
  }
}
feature {
  name: "at"
  time_domain {
    integer_format: UNIX_SECONDS
  }
}
feature {
  name: "trip"
  struct_domain {
    feature {
      name: "leg"
      url_domain {
      }
    }
  }
}
string_domain {
  name: "company"
  value: "O\\'Hare \\"Cab\\" \\\\ Co\\n"
  value: "Zürich"
}
default_environment: "TRAINING"
default_environment: "SERVING"
float_domain {
  name: "share"
  min: 0.0
  max: 1.0
}
tensor_representation_group {
  key: ""
  value {
    tensor_representation {
      key: "fare"
      value {
        dense_tensor {
          column_name: "fare"
          shape {
          }
          default_value {
            bytes_value: "\\000\\377"
          }
        }
      }
    }
  }
}
`

describe('the text form', () => {
  it.skipIf(!existsSync(tfdv))(
    'of what TensorFlow Data Validation inferred is read and written back byte for byte (skipped where the shared samples are absent)',
    () => {
      const text = readFileSync(tfdv, 'utf8')
      const schema = parsed(text)
      expect(schema.feature!.length).toBe(18)
      expect(schema.stringDomain!.map(({ name }) => name)).toEqual(['company', 'payment_type'])
      expect(schema.comments).toEqual({ '': ['# generate_legacy_feature_spec: false'] })
      expect(printSchema(schema)).toBe(text)
    },
  )

  it('of a schema with all that one needs is read and written back byte for byte', () => {
    expect(printSchema(parsed(full))).toBe(full)
    expect(parsed(full).feature![2]!.intDomain).toEqual({ min: -(2n ** 63n), max: 2n ** 63n - 1n, isCategorical: true })
    expect(parsed(full).stringDomain![0]!.value![0]).toBe('O\'Hare "Cab" \\ Co\n')
  })

  it('is read in every way that the format allows', () => {
    const text = `\ufeff# a schema
      feature: < name: 'x' 'y' "\\x41\\101\\u00e9\\U0001F600", type: 2; presence { min_fraction: .5f min_count: 0x10 } >
      default_environment: ["A", "B"] default_environment: "C"
      feature [{ name: "p" }, { name: "q" }]`
    expect(parsed(text)).toEqual({
      comments: { 'feature[0]': ['# a schema'] },
      feature: [
        { name: 'xyAAé😀', type: 'INT', presence: { minFraction: 0.5, minCount: 16 } },
        { name: 'p' },
        { name: 'q' },
      ],
      defaultEnvironment: ['A', 'B', 'C'],
    })
  })

  it('keeps comments before the fields they stand before', () => {
    const text =
      '# head\nfeature {\n  # the name\n  name: "a"\n  # the end\n}\n# second\nfeature {\n  name: "b"\n}\n# tail\n'
    expect(printSchema(parsed(text))).toBe(text)
  })

  it('tells of everything that is wrong at once, with line and column', () => {
    expect(
      problems(
        'feature {\n  nam: "a"\n  type: INTEGER\n  type: INT\n  domain: "x"\n  int_domain { min: 1.5 extra { deep: [1, {}] } }\n}\nunknown < a: -1 >\n',
      ),
    ).toEqual([
      'ZEN_SCHEMA_TEXT schema.pbtxt:2:3 Feature has no field "nam". Did you mean "name"?',
      'ZEN_SCHEMA_TEXT schema.pbtxt:3:9 "INTEGER" is no value of "type" (one of TYPE_UNKNOWN, BYTES, INT, FLOAT, STRUCT).',
      'ZEN_SCHEMA_TEXT schema.pbtxt:4:3 "type" stands twice.',
      'ZEN_SCHEMA_TEXT schema.pbtxt:6:3 "int_domain" cannot stand beside "domain".',
      'ZEN_SCHEMA_TEXT schema.pbtxt:6:21 "1.5" is no value of "min" (int64).',
      'ZEN_SCHEMA_TEXT schema.pbtxt:6:25 IntDomain has no field "extra".',
      'ZEN_SCHEMA_TEXT schema.pbtxt:8:1 Schema has no field "unknown".',
    ])
  })

  it.each([
    ['feature {', '1:10'],
    ['feature { name "a" }', '1:16'],
    ['feature { name: a }', '1:17'],
    ['feature: 1', '1:10'],
    ['feature { name: "a }', '1:17'],
    ['feature { name: "\\q" }', '1:17'],
    ['feature { name: "\\777" }', '1:17'],
    ['feature { name: "\\377" }', '1:17'],
    ['feature { presence { min_count: 12ab } }', '1:33'],
    ['feature { presence { min_count: 9223372036854775808 } }', '1:33'],
    ['default_environment: ["A" "B"; ]', '1:30'],
    ['[foo.bar] { }', '1:1'],
    ['}', '1:1'],
    ['unknown {', '1:10'],
  ])('is refused at the place where %j goes wrong', (text, place) => {
    expect(problems(text).at(-1)).toContain(`schema.pbtxt:${place} `)
  })

  it('is refused where messages lie too deep, without a stack overflow', () => {
    const deep = 'feature { struct_domain { '.repeat(50_000)
    expect(problems(deep)[0]).toContain('deep')
    expect(problems(`unknown ${'{ a: '.repeat(100_000)}`)[0]).toContain('no field')
  })

  it('is read back where a string is as long as a document, without a stack overflow', () => {
    const value = `${'x'.repeat(1000)}"\\'`.repeat(10_000)
    const schema: Schema = { stringDomain: [{ name: 'documents', value: [value] }] }
    expect(parsed(printSchema(schema)).stringDomain?.[0]?.value?.[0] === value).toBe(true)
  })

  it('of any schema is read back as the same schema, and so is the binary form', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('"', "'", '\\', '\n', '\t', '\0', '\x7f', 'é', '😀', '#'),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
    })
    const int64 = fc
      .oneof(fc.integer(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))
      .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) + 0 : value))
    const double = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e16, 1e15, 123456789012345680, 1e-4, 1e-5, 0.1))
    const float = fc.float()
    const some = { requiredKeys: [] }
    const domain = fc.oneof(
      fc.record({ domain: text }),
      fc.record({ intDomain: fc.record({ name: text, min: int64, max: int64, isCategorical: fc.boolean() }, some) }),
      fc.record({ floatDomain: fc.record({ min: float, max: float, embeddingDim: int64 }, some) }),
      fc.record({ stringDomain: fc.record({ value: fc.array(text, { minLength: 1 }) }) }),
      fc.record({ midDomain: fc.constant({}) }),
      fc.constant({}),
    )
    const feature = fc.tuple(
      fc.record(
        {
          name: text,
          type: fc.constantFrom('INT', 'BYTES', 'TYPE_UNKNOWN'),
          presence: fc.record({ minFraction: double, minCount: int64 }, some),
        },
        some,
      ),
      domain,
    )
    const schema = fc.record(
      {
        feature: fc.array(
          feature.map(([left, right]) => ({ ...left, ...right })),
          { minLength: 1 },
        ),
        generateLegacyFeatureSpec: fc.boolean(),
      },
      some,
    )
    fc.assert(
      fc.property(schema, (value) => {
        const printed = printSchema(value as Schema)
        expect(parsed(printed)).toEqual(value)
        expect(printSchema(parsed(printed))).toBe(printed)
        expect(decodeSchema(encodeSchema(value as Schema))).toEqual(value)
      }),
      { numRuns: 300 },
    )
  })

  it('ends in a schema or in diagnostics whatever the text is', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '<',
        '>',
        '[',
        ']',
        ':',
        ',',
        '"',
        '#',
        '\n',
        '-',
        'feature',
        ' name',
        '1e5',
        '0x',
        '\\',
      ),
      fc.string(),
    )
    const edited = fc
      .tuple(fc.nat(full.length), fc.nat(40), piece)
      .map(([at, length, insert]) => full.slice(0, at) + insert + full.slice(at + length))
    fc.assert(
      fc.property(
        fc.oneof(
          edited,
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          const result = parseSchema(text)
          if (result.ok) expect(parsed(printSchema(result.value))).toEqual(result.value)
          else expect(result.error.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
