// Reads requests as llhttp does, the parser of Node.js. On standard input: a length (four bytes, big-endian) and as many
// bytes of a connection, over and over. For each a line: how it ended (an error's name, "over" when no request may follow,
// "within" a body, otherwise "between" requests), and for each request a tab and, in hex, its target, fields and body.
'use strict';
const { HTTPParser } = require('_http_common');

function read(bytes) {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {}, 1 << 20, 0);
  const messages = [];
  let now = null;
  let target = '';
  let fields = [];
  let over = false;
  parser[HTTPParser.kOnHeaders | 0] = (more, url) => {
    if (now) return; // these come after a body
    fields = fields.concat(more);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] =
      (major, minor, more, method, url, status, reason, upgrade, keepAlive) => {
        now = { target: target + (url || ''), fields: fields.concat(more || []), body: [], last: upgrade || !keepAlive };
        target = '';
        fields = [];
        return 0;
      };
  parser[HTTPParser.kOnBody | 0] = (part) => { now.body.push(Buffer.from(part)); };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    if (over) return;
    let text = '';
    for (let i = 0; i < now.fields.length; i += 2) text += now.fields[i].toLowerCase() + ':' + now.fields[i + 1] + '\n';
    const hex = (one) => Buffer.from(one, 'latin1').toString('hex');
    messages.push(hex(now.target) + ',' + hex(text) + ',' + Buffer.concat(now.body).toString('hex'));
    over = now.last;
    now = null;
  };
  const result = parser.execute(bytes);
  const end = over ? 'over' : result instanceof Error ? result.code : now ? 'within' : 'between';
  return [end, ...messages].join('\t');
}

let have = Buffer.alloc(0);
process.stdin.on('data', (part) => {
  have = have.length ? Buffer.concat([have, part]) : part;
  let at = 0;
  let answers = '';
  while (have.length - at >= 4) {
    const length = have.readUInt32BE(at);
    if (have.length - at - 4 < length) break;
    answers += read(have.subarray(at + 4, at + 4 + length)) + '\n';
    at += 4 + length;
  }
  have = have.subarray(at);
  if (answers) process.stdout.write(answers);
});
