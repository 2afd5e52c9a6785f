const overview = `Usage: mailwright <command> [options]

Commands
  serve     run the mail server
  user      manage the users kept in the database
  version   print the version
  help      print this, or the help of a command: mailwright help serve

Examples
  mailwright serve --demo
  mailwright serve --config mailwright.json
  mailwright user add alice@example.test --config mailwright.json
`

const serve = `Usage: mailwright serve [--config FILE] [--data DIR] [--demo] [--json]

Runs the mail server until it gets SIGINT or SIGTERM, then lets sessions finish.

  --config FILE   the configuration, JSON; mailwright.json in this folder by default
  --data DIR      the folder of the database, instead of "data" in the configuration
  --demo          a server to try things on: loopback only, domain example.test, users alice and bob,
                  a few messages; it needs no configuration
  --json          one line of JSON when it is ready, then the log as lines of JSON
  --log LEVEL     debug, info, warn or error; info by default

A configuration
  { "hostname": "mail.example.test",
    "data": "./data",
    "listen": { "smtp": "0.0.0.0:25", "submission": "0.0.0.0:587", "imaps": "0.0.0.0:993" },
    "tls": { "cert": "cert.pem", "key": "key.pem" },
    "domains": { "example.test": {
      "users": { "alice": { "password": "secret" } },
      "aliases": { "info": ["alice@example.test"] } } } }

Examples
  mailwright serve --demo
  mailwright serve --config /etc/mailwright.json --log warn
  mailwright serve --config mailwright.json --json
`

const user = `Usage: mailwright user <command> [ADDRESS] [--config FILE] [--data DIR]

Manages the users kept in the database. Those of the configuration stand beside them, win, and are changed there.
With a server running on the data folder the change goes through it and takes effect at once.

Commands
  list             every user and where it stands
  add ADDRESS      make a user; asks for the password, or reads it from standard input
  passwd ADDRESS   give a user another password
  remove ADDRESS   forget a user; the mail stays in the database
  hash             print the hash of a password, for "passwordHash" in the configuration

  --config FILE    the configuration, JSON; mailwright.json in this folder by default
  --data DIR       the folder of the database, instead of "data" in the configuration

Examples
  mailwright user add carol@example.test
  printf 'a long secret\\n' | mailwright user passwd carol@example.test --config mailwright.json
  mailwright user list --data ./data
`

const texts: Readonly<Record<string, string>> = { serve, user }

/** The help of a command, or the overview. */
export function helpFor(command: string | undefined): string {
  return (command !== undefined && Object.hasOwn(texts, command) ? texts[command] : undefined) ?? overview
}
