package dev.muelle.balancer.clients;

import dev.muelle.balancer.exchanges.Client;
import dev.muelle.balancer.exchanges.Exchange;
import dev.muelle.balancer.exchanges.Verdict;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http2.Http2Heads;
import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.messages.Ledger;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.messages.Response;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.visitors.Stillness;
import dev.muelle.balancer.visitors.Visitor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One request of an HTTP/2 connection, and its answer. */
final class ClientStream implements Client {

  private final ClientHttp2 connection;
  private final Http2Stream stream;
  private final Visitor visitor;
  private final Worker worker;

  private @Nullable Exchange exchange;
  private boolean headRequest;
  private @Nullable Ledger ledger;

  /** Whether a gate is looking at the request. */
  private boolean asking;

  private boolean closed;

  /** What came of the body and no target takes yet; never more than the stream's window. */
  private ByteBuf pending = Unpooled.EMPTY_BUFFER;

  private boolean ended;
  private @Nullable Head trailers;
  private boolean answered;
  private final Stillness stillness = new Stillness();

  ClientStream(ClientHttp2 connection, Http2Stream stream, Visitor visitor) {
    this.connection = connection;
    this.stream = stream;
    this.visitor = visitor;
    this.worker = visitor.worker;
  }

  /**
   * The request begins.
   *
   * @param whole whether it has no body
   * @throws BadMessage if it must be refused
   */
  void begin(Head head, boolean whole) {
    ended = whole;
    visitor.moved(head.length());
    Request request = Request.http2(head, whole);
    headRequest = request.isHead();
    Verdict verdict = Verdict.of(request, visitor);
    ledger = request.ledger;
    act(request, verdict);
  }

  private void act(Request request, Verdict verdict) {
    switch (verdict) {
      case Verdict.Nobody nobody -> {
        connection.reset(stream, Http2Error.REFUSED_STREAM); // another connection may be heard
        connection.leave();
      }
      case Verdict.Hold hold -> connection.close();
      case Verdict.Refused refused -> refuse(refused.status());
      case Verdict.Answered answer -> say(answer.answer());
      case Verdict.Asked gated -> {
        asking = true;
        gated.ask(
            worker,
            next -> {
              if (!closed) {
                asking = false;
                touch();
                act(request, next);
                connection.flush();
              }
            });
      }
      case Verdict.Forwarded to -> {
        if (request.expectsContinue && !ended) {
          connection.head(stream, Http2Heads.bare(100), false);
          connection.flush();
        }
        Exchange next = new Exchange(this, worker, request, to);
        exchange = next;
        next.start();
      }
    }
  }

  /**
   * A part of the body came.
   *
   * @return how much of it the client may send anew at once; the rest is granted when a target has
   *     taken it
   */
  int data(ByteBuf data, boolean last) {
    touch();
    ended |= last;
    int bytes = data.readableBytes();
    visitor.moved(bytes);
    Exchange current = exchange;
    if (current == null && !asking) {
      return bytes; // answered already
    }
    if (current != null && !pending.isReadable() && current.wantsBody()) {
      current.data(data.retainedSlice());
      pump();
      return bytes;
    }
    // Copied, for a slice would keep alive whatever else was read with it.
    if (!pending.isReadable()) {
      drop();
      pending = connection.alloc().buffer(bytes);
    }
    pending.writeBytes(data);
    return 0;
  }

  /** The fields after the body came, and with them its end. */
  void trailers(Head fields) {
    touch();
    trailers = fields;
    ended = true;
    pump();
  }

  private void pump() {
    Exchange current = exchange;
    if (current == null) {
      return;
    }
    if (pending.isReadable() && current.wantsBody()) {
      ByteBuf part = pending;
      pending = Unpooled.EMPTY_BUFFER;
      int bytes = part.readableBytes();
      current.data(part);
      connection.grant(stream, bytes);
    }
    if (ended && !pending.isReadable() && exchange == current && current.wantsBody()) {
      current.end(trailers);
    }
  }

  @Override
  public void targetReady() {
    touch();
    pump();
  }

  @Override
  public void touch() {
    stillness.moved();
  }

  /** The client takes more of the answer, or does not. */
  void writable(boolean writable) {
    touch();
    Exchange current = exchange;
    if (current != null) {
      current.clientWritable(writable);
    }
  }

  @Override
  public void begin(Response answer) {
    touch();
    answered(answer.body.done());
    answer.edits = visitor.edits();
    Http2Headers head = Http2Heads.response(answer);
    noteSent(head);
    connection.head(stream, head, answered);
    mind();
  }

  @Override
  public void pass(Response answer, ByteBuf in) {
    touch();
    ByteBuf payload = answer.payload(in, connection.alloc());
    noteSent(payload.readableBytes());
    answered(answer.body.done() && answer.trailers() == null);
    if (payload.isReadable() || answered) {
      connection.data(stream, payload, answered);
      mind();
    } else {
      payload.release();
    }
  }

  /** Whether what is written next is the last of the answer, with which the stream closes. */
  private void answered(boolean whole) {
    answered = whole;
    if (whole) {
      exchange = null;
    }
  }

  /** What the client does not take, the target shall not send. */
  private void mind() {
    Exchange current = exchange;
    if (current != null && !connection.writable(stream)) {
      current.clientWritable(false);
    }
  }

  @Override
  public void finished(Response answer) {
    exchange = null;
    Head last = answer.trailers();
    if (last != null) {
      connection.head(stream, Http2Heads.trailers(last), true);
    } else if (!answered) {
      connection.data(stream, Unpooled.EMPTY_BUFFER, true);
    }
    answered = true;
    ended(answer.status);
    drop();
    connection.flush();
  }

  private void noteSent(Http2Headers head) {
    long bytes = 0;
    for (Map.Entry<CharSequence, CharSequence> field : head) {
      bytes += field.getKey().length() + field.getValue().length() + 4L;
    }
    noteSent(bytes);
  }

  private void noteSent(long bytes) {
    visitor.moved(bytes);
    if (ledger != null) {
      ledger.sent(bytes);
    }
  }

  /** The request is over: with what the target said if it began to, or else with this. */
  private void ended(int status) {
    Ledger noted = ledger;
    if (noted != null) {
      noted.end(noted.targetStatus() == 0 ? status : noted.targetStatus());
    }
  }

  @Override
  public void answer(int status) {
    exchange = null;
    refuse(status);
    connection.flush();
  }

  void refuse(int status) {
    say(Answer.page(status));
  }

  private void say(Answer given) {
    Answer answer = given.edited(visitor.edits());
    visitor.answeredHere(answer.status());
    boolean bare = headRequest || answer.body().length == 0;
    Http2Headers head = Http2Heads.answer(answer, worker.clock.instant());
    noteSent(head);
    noteSent(bare ? 0 : answer.body().length);
    ended(answer.status());
    connection.head(stream, head, bare);
    if (!bare) {
      connection.data(stream, Unpooled.wrappedBuffer(answer.body()), true);
    }
    answered = true;
    int unread = pending.readableBytes();
    drop();
    if (unread > 0) {
      connection.grant(stream, unread); // what was held for a target is thrown away
    }
  }

  @Override
  public void abort() {
    ended(502);
    exchange = null;
    connection.reset(stream, Http2Error.INTERNAL_ERROR);
    connection.flush();
  }

  @Override
  public void tunnel(ByteBuf in) {
    in.release();
    throw new IllegalStateException("no request of HTTP/2 can switch protocols");
  }

  @Override
  public void tunnelClosed() {
    abort();
  }

  @Override
  public void flush() {
    connection.flush();
  }

  /** Looked at now and then. */
  void watch() {
    if (stillness.nanos(worker.nanos()) < visitor.idleNanos()) {
      return;
    }
    Exchange current = exchange;
    if (asking) {
      return; // gates have their own time
    }
    if (current == null) {
      connection.reset(stream, Http2Error.CANCEL); // it does not take its answer
    } else if (!current.requestDone() && !current.answering() && current.wantsBody()) {
      // It is the client that is waited for, not a target that takes no more.
      exchange = null;
      current.cancel();
      refuse(408);
    } else {
      current.timedOut();
    }
    connection.flush();
    touch();
  }

  /** The stream is closed, by either side or with its connection. */
  void closed() {
    Exchange current = exchange;
    exchange = null;
    if (current != null) {
      if (!current.answering()) {
        visitor.answeredHere(460);
      }
      ended(460);
      current.cancel();
    } else if (asking) {
      visitor.answeredHere(460);
      ended(460);
    }
    closed = true;
    drop();
  }

  private void drop() {
    pending.release();
    pending = Unpooled.EMPTY_BUFFER;
  }
}
