import { hash } from 'node:crypto'
import { html, Markup } from './html.ts'
import { style } from './style.ts'

/** What a page says of itself. */
export interface PageHead {
  readonly title: string
  /** One sentence below the title. */
  readonly about: string
}

/**
 * A page that needs nothing beside itself: no script, font or image from elsewhere, and a policy that forbids any. Equal parts give equal
 * bytes.
 */
export function page({ title, about }: PageHead, body: Markup): string {
  const policy = `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="quiet">${about}</p>
${body}
</main>
</body>
</html>
`.text
}
