import type { MessageSpec } from './proto-message.ts'

// google/protobuf/{any,field_mask,struct}.proto. A Struct is an object of plain data, a ListValue a list, a Value any JSON value;
// unlike in JSON, numbers may be infinite or NaN.

/** `google.protobuf.Any`: a message of a type that only its address tells. */
export const anySpec: MessageSpec = {
  name: 'google.protobuf.Any',
  syntax: 3,
  fields: { typeUrl: [1, 'string'], value: [2, 'bytes'] },
}

/** `google.protobuf.FieldMask`: names of fields. */
export const fieldMaskSpec: MessageSpec = {
  name: 'google.protobuf.FieldMask',
  syntax: 3,
  fields: { paths: [1, 'string', 'repeated'] },
}

/** `google.protobuf.Struct`, as an object of plain data. Any name may be a key, `__proto__` too. */
export const structSpec: MessageSpec = {
  name: 'google.protobuf.Struct',
  syntax: 3,
  fields: { fields: [1, () => valueSpec, 'map'] },
  plain: {
    // fromEntries defines keys instead of setting them, so that `__proto__` is a key as any other.
    read: ({ fields }) => Object.fromEntries((fields as ReadonlyMap<string, unknown> | undefined) ?? []),
    write: (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { fields: new Map(Object.entries(value)) }
        : undefined,
  },
}

const listValueSpec: MessageSpec = {
  name: 'google.protobuf.ListValue',
  syntax: 3,
  fields: { values: [1, () => valueSpec, 'repeated'] },
  plain: {
    read: ({ values }) => values ?? [],
    write: (value) => (Array.isArray(value) ? { values: value } : undefined),
  },
}

const valueSpec: MessageSpec = {
  name: 'google.protobuf.Value',
  syntax: 3,
  fields: {
    // An enum of one value, whose other numbers mean the same.
    nullValue: [1, 'int32', 'oneof:kind'],
    numberValue: [2, 'double', 'oneof:kind'],
    stringValue: [3, 'string', 'oneof:kind'],
    boolValue: [4, 'bool', 'oneof:kind'],
    structValue: [5, () => structSpec, 'oneof:kind'],
    listValue: [6, () => listValueSpec, 'oneof:kind'],
  },
  plain: {
    read: ({ numberValue, stringValue, boolValue, structValue, listValue }) =>
      numberValue ?? stringValue ?? boolValue ?? structValue ?? listValue ?? null,
    write: (value) => {
      switch (typeof value) {
        case 'number':
          return { numberValue: value }
        case 'string':
          return { stringValue: value }
        case 'boolean':
          return { boolValue: value }
        case 'object':
          if (value === null) return { nullValue: 0 }
          return Array.isArray(value) ? { listValue: value } : { structValue: value }
        default:
          return undefined
      }
    },
  },
}
