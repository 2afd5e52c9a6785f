import { describe, expect, test } from 'vitest'
import { baseSubject, charsetOfHtml, htmlToText, previewText, unflow } from '../../src/mime/index.js'
import { bytes } from './samples.js'

describe('text of HTML', () => {
  test.each([
    ['<p>one<p>two', 'one\n\ntwo'],
    ['a<br>b<br><br>c', 'a\nb\n\nc'],
    ['  a \n b<b>c</b> d', 'a bc d'],
    ['<ul><li>a<li>b</ul><ol><li>c<li>d</ol>', '- a\n- b\n\n1. c\n2. d'],
    ['<blockquote>q<br>r</blockquote>s', '> q\n> r\n\ns'],
    ['<table><tr><td>a<td>b<tr><td>c</table>', 'a b\nc'],
    ['<pre>a  b\n c</pre>', 'a  b\n c'],
    ['<head><title>t</title><style>s</style></head><body>b<script>x()</script></body>', 'b'],
    ['<a href="https://x.example/">site</a>', 'site <https://x.example/>'],
    ['<a href="mailto:a@b">a@b</a>', 'a@b'],
    ['<a href="javascript:x()">y</a>', 'y'],
    ['<img alt="logo &amp; more">', 'logo & more'],
    ['&eacute;&#8364;&lt;b&gt;', 'é€<b>'],
    ['a<!-- no -->b<![CDATA[c]]>', 'ab'],
    ['<head>never closed<body>b', 'b'],
    ['<p', ''],
    ['a < b', 'a < b'],
    ['', ''],
  ])('%j', (html, text) => expect(htmlToText(html)).toBe(text))
})

test('previews (RFC 8970)', () => {
  expect(previewText('> quoted\nHello,\n\nnews  here\n-- \nsig', null)).toBe('Hello, news here')
  expect(previewText(null, '<style>x</style><p>Hi\u200b\u034f there</p>')).toBe('Hi there')
  expect(previewText(' \n', '<p>html</p>')).toBe('html')
  expect(Array.from(previewText('\u{1f600}'.repeat(500), null))).toHaveLength(200)
  expect(previewText(null, null)).toBe('')
})

describe('format=flowed (RFC 3676)', () => {
  test.each([
    ['a \nb\nc', false, 'a b\nc'],
    ['a \r\nb\r\n', true, 'ab\r\n'],
    ['> a \n> b\n>> c\nd', false, '> a b\n>> c\nd'],
    ['> a \nb', false, '> a \nb'],
    [' From x', false, 'From x'],
    ['a \n-- \nsig', false, 'a \n-- \nsig'],
    ['', false, ''],
    ['a ', false, 'a '],
  ])('%j', (text, delSp, expected) => expect(unflow(text, delSp)).toBe(expected))
})

describe('base subjects (RFC 5256 section 2.1)', () => {
  test.each([
    ['Re: hello', 'hello', true],
    ['RE[2]: Fwd: hello', 'hello', true],
    ['[list] Re: [list] hello', 'hello', true],
    ['[list] hello', 'hello', false],
    ['[one] [two]', '[two]', false],
    ['hello (fwd)  (FWD)', 'hello', true],
    ['[Fwd: Re: hello]', 'hello', true],
    ['[fwd: [fwd: a] (fwd)]', 'a', true],
    ['re : a', 'a', true],
    ['Regarding: a', 'Regarding: a', false],
    ['  a \t b\r\n c ', 'a b c', false],
    ['Re:', '', true],
    ['', '', false],
  ])('%j', (subject, text, isReply) => expect(baseSubject(subject)).toEqual({ text, isReply }))
})

test('the charset of an HTML body', () => {
  const of = (html: string): string | null => charsetOfHtml(bytes(html))
  expect(of('<META CHARSET=koi8-r>')).toBe('koi8-r')
  expect(of('<meta name=x><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">')).toBe(
    'Shift_JIS',
  )
  expect(of('<meta charset="utf-16">')).toBe('utf-8')
  expect(of('<meta charset=none-such><p>')).toBeNull()
  expect(of(`${' '.repeat(5_000)}<meta charset=koi8-r>`)).toBeNull()
})
