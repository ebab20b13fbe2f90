/** What every step's process sees, whatever the user's shell says: nothing of the machine's language, time zone or folders. */
export const fixedVariables: { readonly [name: string]: string } = {
  TZ: 'UTC',
  LC_ALL: 'C',
  LANG: 'C',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  NO_COLOR: '1',
}
