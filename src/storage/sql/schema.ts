/** Stands in the file's header, so that another program's database is not taken for ours. "Mlwr" in ASCII. */
export const APPLICATION_ID = 0x4d6c7772

/** Databases up to this version were never released, and are refused. */
export const UNRELEASED = 4

/**
 * One script a version; the first makes a database of version `UNRELEASED` + 1. Scripts are only ever added.
 *
 * - `msg` is narrow, so that a mailbox is one short run of pages: copying and expunging touch nothing else.
 * - `content` holds the facts of a message and the `place` of its octets in the message log (see ../messages/), shared
 *   by every copy. `cref.n` counts the copies where there is not just one: most messages cost no row there. The index
 *   finds those that nobody has any more.
 * - `segment` has the octets of records, headers included, that contents refer to now, and of all there are, redo
 *   records among them. The index finds the segments that are mostly of no use.
 * - `meta` has single numbers: `unsynced`, of the lowest content whose octets may not have been on the disk when the
 *   last content was inserted (see recovery.ts), the last `uidValidity`, and of redo.ts, `store`, `commit` and `redo`.
 * - `expunged` are the tombstones, in runs of UIDs. `floor` of a mailbox is what has been forgotten of them.
 * - `task` is work that a commit has decided and that is done in slices after it (see tasks.ts).
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta(key, value) VALUES ('unsynced', 1), ('store', random() >> 12), ('commit', 0), ('redo', 0);
  CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE mailbox(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    specialUse TEXT,
    selectable INTEGER NOT NULL,
    uidValidity INTEGER NOT NULL,
    uidNext INTEGER NOT NULL,
    highestModSeq INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    size INTEGER NOT NULL,
    recentUid INTEGER NOT NULL,
    recent INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    keywords TEXT NOT NULL,
    UNIQUE(account, name)
  );
  CREATE TABLE subscription(account INTEGER, name TEXT, PRIMARY KEY(account, name)) WITHOUT ROWID;
  CREATE TABLE msg(
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    modSeq INTEGER NOT NULL,
    created INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    more TEXT NOT NULL,
    date INTEGER NOT NULL,
    size INTEGER NOT NULL,
    cid INTEGER NOT NULL,
    PRIMARY KEY(mailbox, uid)
  ) WITHOUT ROWID;
  CREATE TABLE content(cid INTEGER PRIMARY KEY, size INTEGER NOT NULL, place INTEGER NOT NULL, facts TEXT NOT NULL);
  CREATE TABLE cref(cid INTEGER PRIMARY KEY, n INTEGER NOT NULL);
  CREATE INDEX orphan ON cref(cid) WHERE n = 0;
  CREATE INDEX single ON cref(cid) WHERE n = 1;
  CREATE TABLE segment(number INTEGER PRIMARY KEY, live INTEGER NOT NULL, total INTEGER NOT NULL);
  CREATE INDEX sparse ON segment(live) WHERE total >= live * 2;
  CREATE TABLE expunged(
    mailbox INTEGER NOT NULL,
    modSeq INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY(mailbox, modSeq, low)
  ) WITHOUT ROWID;
  CREATE TABLE task(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, mailbox INTEGER NOT NULL, modSeq INTEGER);
  CREATE TABLE taskPart(task INTEGER, part INTEGER, data TEXT NOT NULL, PRIMARY KEY(task, part)) WITHOUT ROWID;
  CREATE TABLE record(kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;
  `,
]

/** The version that this package writes. */
export const VERSION = UNRELEASED + migrations.length
