// Prints one JSON object a line: a composed message in base64, and what a reader of it has to find.
import {
  composeDeliveryReport,
  composeDispositionReport,
  composeFeedbackReport,
  composeMessage,
} from '../../dist/mime/index.js'

const from = { name: 'Zoë "Z" Ämter', address: 'zoe@bücher.example' }
const texts = {
  plain: 'Hello\r\nworld\r\n',
  accents: 'Grüße aus Köln, und ein Zeichen: =20\r\n.\r\n..\r\nFrom here\r\n trailing  \r\n',
  japanese: '日本語のテキスト。'.repeat(60),
  long: 'x'.repeat(5_000),
  emoji: '😀👩‍👩‍👧 '.repeat(40),
  empty: '',
}
const names = [
  'a.txt',
  'with space.txt',
  'quote"back\\slash.txt',
  'ünïcode ☃.pdf',
  `${'lang und öde '.repeat(12)}.bin`,
  "it's 100% (sure); a=b.txt",
  '=?utf-8?q?not_a_word?=.txt',
]
const subjects = [
  'plain',
  'Grüße',
  `${'日本語 '.repeat(40)}end`,
  'x'.repeat(300),
  `${'words that go on '.repeat(20)}`.trim(),
  'a  b   c',
  '=?utf-8?q?not_a_word?=',
  '😀'.repeat(50),
]
const original = Buffer.from('From: a@b.example\r\nSubject: returned\r\n\r\nbody\r\n')
const report = { from, to: 'a@b.example', subject: 'Report', text: 'See below.\r\n' }

function print(message, expected) {
  console.log(JSON.stringify({ message: message.bytesSync().toString('base64'), ...expected }))
}

for (const [name, text] of Object.entries(texts)) {
  print(composeMessage({ from, to: ['a@b.example', 'C <c@d.example>'], subject: name, text }), {
    subject: name,
    text,
  })
}
for (const subject of subjects)
  print(composeMessage({ from, subject, text: 'x\r\n' }), { subject, text: 'x\r\n' })
for (const filename of names) {
  const content = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index & 0xff))
  const message = composeMessage({
    from,
    subject: 'file',
    text: texts.accents,
    html: '<p>Grüße <img src="cid:logo"></p>\r\n',
    attachments: [
      { filename, content },
      { filename: 'logo.png', cid: 'logo', content },
    ],
  })
  print(message, { subject: 'file', filename, content: content.toString('base64') })
}
const references = Array.from({ length: 50 }, (_, index) => `<reference-${index}@host.example>`)
print(composeMessage({ from, subject: 'references', references, text: 'x\r\n' }), {
  subject: 'references',
  references: references.join(' '),
})
print(
  composeMessage(
    { from: { name: 'Jörg', address: 'jörg@bücher.example' }, subject: 'Grüße 日本', text: 'ü\r\n' },
    { smtpUtf8: true },
  ),
  { subject: 'Grüße 日本', text: 'ü\r\n', from: ['Jörg', 'jörg@bücher.example'] },
)
print(
  composeDeliveryReport({
    ...report,
    reportingMta: 'mx.example',
    recipients: [
      { finalRecipient: 'z@q.example', action: 'failed', status: '5.1.1', diagnosticCode: '550 no' },
    ],
    original,
  }),
  { subject: 'Report', report: 'delivery-status' },
)
print(
  composeDispositionReport({
    ...report,
    finalRecipient: 'a@b.example',
    disposition: { type: 'displayed', manualAction: true, sentManually: true },
    original,
  }),
  { subject: 'Report', report: 'disposition-notification' },
)
print(composeFeedbackReport({ ...report, feedbackType: 'abuse', userAgent: 'Mailwright/1', original }), {
  subject: 'Report',
  report: 'feedback-report',
})
