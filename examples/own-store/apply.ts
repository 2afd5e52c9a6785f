import { type Flags, type MailboxId, MailError, type Op, type Result } from 'mailwright'
import type { Box, Contents, Message } from './box.js'
import { OwnBody } from './message.js'

/** A mailbox with the draft that this apply works on. MailError `notFound`. */
export type DraftOf = (id: MailboxId) => readonly [Box, Contents]

/** One op, on drafts. */
export function applyOp(op: Op, draftOf: DraftOf): Result {
  switch (op.type) {
    case 'append': {
      const { body } = op
      if (!(body instanceof OwnBody) || body.discarded) throw new MailError('notFound', 'the message is gone')
      const placed = op.to.map(({ mailbox, flags, internalDate }) => {
        const [box, draft] = draftOf(mailbox)
        const uid = put(box, draft, { data: body.data, facts: body.facts, internalDate, flags })
        return { mailbox, uidValidity: box.uidValidity, uid, modSeq: draft.modSeq }
      })
      return { type: 'append', placed }
    }
    case 'copy':
    case 'move': {
      const [source, from] = draftOf(op.from)
      const [target, to] = draftOf(op.to)
      const uids = op.uids.filter((uid) => from.messages.has(uid))
      const copies = uids.map((uid) => put(target, to, from.messages.get(uid) as Message))
      if (op.type === 'move') for (const uid of uids) expunge(source, from, uid)
      return { type: op.type, uidValidity: target.uidValidity, from: uids, to: copies, modSeq: to.modSeq }
    }
    case 'expunge': {
      const [box, draft] = draftOf(op.mailbox)
      const uids = op.uids.filter((uid) => draft.messages.has(uid))
      for (const uid of uids) expunge(box, draft, uid)
      return { type: 'expunge', uids, modSeq: draft.modSeq }
    }
    case 'setFlags':
      return setFlags(op, ...draftOf(op.mailbox))
  }
}

/** Every change of one apply has the same mod-sequence, one more than that of the commit before. */
function put(box: Box, draft: Contents, message: Omit<Message, 'modSeq' | 'created'>): number {
  const modSeq = box.nextModSeq
  const uid = draft.uidNext++
  const flags = box.spell(message.flags, draft.keywords)
  draft.modSeq = modSeq
  draft.messages.set(uid, { ...message, flags, modSeq, created: modSeq })
  return uid
}

function expunge(box: Box, draft: Contents, uid: number): void {
  draft.modSeq = box.nextModSeq
  draft.messages.delete(uid)
  draft.tombstones.push({ uid, modSeq: draft.modSeq })
}

function setFlags(op: Extract<Op, { readonly type: 'setFlags' }>, box: Box, draft: Contents): Result {
  const { unchangedSince = Number.POSITIVE_INFINITY } = op
  const operand = box.spell(op.flags, draft.keywords)
  const changed: { uid: number; modSeq: number; flags: Flags }[] = []
  const modified: number[] = []
  const missing: number[] = []
  for (const uid of op.uids) {
    const before = draft.messages.get(uid)
    if (before === undefined) {
      missing.push(uid)
    } else if (before.modSeq > unchangedSince) {
      modified.push(uid)
    } else {
      const flags = box.spell(combine(before.flags, op.mode, operand), draft.keywords)
      if (flags === before.flags) continue
      const modSeq = box.nextModSeq
      draft.modSeq = modSeq
      draft.messages.set(uid, { ...before, flags, modSeq })
      changed.push({ uid, modSeq, flags })
    }
  }
  return { type: 'setFlags', changed, modified, missing }
}

function combine(before: Flags, mode: 'add' | 'remove' | 'replace', operand: Flags): Flags {
  if (mode === 'add') return [...before, ...operand]
  if (mode === 'remove') return before.filter((flag) => !operand.includes(flag))
  return operand
}
