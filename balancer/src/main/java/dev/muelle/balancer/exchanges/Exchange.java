package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Chunks;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.messages.Ledger;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.messages.Response;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.targets.Carrier;
import dev.muelle.balancer.targets.Worker;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way to a target and the answer on its way back, both streamed.
 *
 * <p>What may be tried again: connecting failed (nothing was sent) goes on to another target; a
 * kept connection that the target closed before any byte of an answer is replaced by a new one, and
 * a new one that it closed so by another target once, if the request is idempotent and all that was
 * sent of it is still at hand.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9110.html#section-9.2.2">RFC 9110, 9.2.2</a>
 */
@SuppressWarnings("ReferenceEquality") // the very same carrier is meant
public final class Exchange implements Carrier.Sender {

  private final Client client;
  private final Worker worker;
  private final Tally tally;
  private final Request request;
  private final @Nullable Ledger ledger;
  private final byte[] head;
  private final Attempts attempts;
  private final Replay replay;

  private @Nullable Carrier target;
  private boolean reused;
  private final boolean bodiless;
  private boolean bodySent;
  private boolean bodyEnded;
  private @Nullable Head trailers;
  private long sentAt;

  private ByteBuf pending = Unpooled.EMPTY_BUFFER;
  private @Nullable Response response;
  private boolean tunnel;
  private boolean over;

  public Exchange(Client client, Worker worker, Request request, Verdict.Forwarded to) {
    this.client = client;
    this.worker = worker;
    this.tally = to.tally();
    this.request = request;
    this.ledger = request.ledger;
    this.head = to.head();
    this.bodiless = request.body.done();
    this.attempts = new Attempts(this, worker, request, to);
    this.replay = new Replay(request.idempotent(), bodiless);
  }

  public void start() {
    tally.group().add(Count.REQUESTS);
    attempts.next(true);
  }

  boolean over() {
    return over;
  }

  /**
   * There is a way to a target.
   *
   * @param kept whether it has served others before
   */
  void use(Carrier carrier, MemberState asked, boolean kept) {
    target = carrier;
    reused = kept;
    sentAt = worker.nanos();
    if (ledger != null) {
      ledger.asked(asked.target);
    }
    carrier.ask(this, head, bodiless);
    replay.sendTo(carrier);
    if (bodyEnded) {
      carrier.end(trailers);
    }
    client.targetReady();
    carrier.flush();
    if (!carrier.active() && target == carrier) {
      carrier.giveUp();
      if (carrier.framesItself()) {
        refused(); // there was no stream for it any more
      } else {
        targetClosed(true);
      }
    }
  }

  /** Whether more of the request's body can be taken now. */
  public boolean wantsBody() {
    Carrier to = target;
    return to != null && (tunnel || !request.body.done()) && to.writable();
  }

  public boolean requestDone() {
    return request.body.done();
  }

  public boolean tunnelling() {
    return tunnel;
  }

  public boolean answering() {
    return response != null;
  }

  /**
   * Passes on what the client sent of the body.
   *
   * @throws BadMessage if its chunks are malformed
   */
  public void send(ByteBuf in) {
    Carrier to = target;
    if (to == null || !wantsBody() || !in.isReadable()) {
      return;
    }
    int bytes = tunnel ? in.readableBytes() : request.body.take(in);
    send(to, in.readRetainedSlice(bytes));
  }

  private void send(Carrier to, ByteBuf part) {
    bodySent = true;
    if (ledger != null) {
      ledger.received(part.readableBytes());
    }
    if (response != null) {
      replay.forget();
    } else {
      replay.keep(part);
    }
    to.write(part);
  }

  /** Passes on a part of a body that came without HTTP/1.1's framing. */
  public void data(ByteBuf payload) {
    Carrier to = target;
    if (to == null || !payload.isReadable()) {
      payload.release();
    } else {
      send(to, request.chunked && !to.framesItself() ? Chunks.of(payload) : payload);
    }
  }

  /** Such a body is whole. */
  public void end(@Nullable Head last) {
    request.body.finish();
    bodyEnded = true;
    trailers = last;
    Carrier to = target;
    if (to != null && to.framesItself()) {
      to.end(last);
    } else if (to != null && request.chunked) {
      send(to, Chunks.last(last));
    }
  }

  @Override
  public void targetWritable() {
    client.targetReady();
  }

  public void clientWritable(boolean writable) {
    Carrier from = target;
    if (from != null) {
      from.reading(writable);
    }
  }

  @Override
  public void received(ByteBuf in) {
    client.touch();
    if (tunnel) {
      client.tunnel(in);
      return;
    }
    if (pending.isReadable()) {
      pending = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(in.alloc(), pending, in);
    } else {
      pending = in;
    }
    try {
      relay();
    } catch (BadMessage e) {
      malformed();
    } finally {
      if (over || !pending.isReadable()) {
        discard();
      }
    }
  }

  private void discard() {
    pending.release();
    pending = Unpooled.EMPTY_BUFFER;
  }

  @Override
  public void receivedAll() {
    client.flush();
  }

  private void relay() {
    while (response == null) {
      Head answer = Head.read(pending, Head.Limits.RESPONSE);
      if (answer == null) {
        return;
      }
      begin(new Response(answer, request));
    }
    Response current = response;
    if (tunnel) {
      client.tunnel(pending.readRetainedSlice(pending.readableBytes()));
      return;
    }
    if (!over) {
      if (pending.isReadable() && !current.body.done()) {
        client.pass(current, pending);
      }
      if (current.body.done()) {
        complete(current);
      }
    }
  }

  private void begin(Response answer) {
    boolean switches = answer.switchesProtocol();
    if (switches && request.upgrade == null) {
      throw new BadMessage(502, "101 for a request without Upgrade");
    }
    if (answer.status < 200 && !switches) {
      return; // 100 was answered here; the others are hints
    }
    response = answer;
    replay.forget();
    tunnel = switches;
    tally.answered(answer.status, worker.nanos() - sentAt);
    if (ledger != null) {
      ledger.targetAnswered(answer.status);
    }
    answer.cookies = attempts.cookies(answer.head);
    attempts.did(answer.status >= 500);
    client.begin(answer);
    if (tunnel) {
      client.targetReady();
    }
  }

  private void complete(Response answer) {
    over = true;
    Carrier from = target;
    target = null;
    if (from != null) {
      // Left-over bytes, or a request that was not read to its end: not to be used again.
      from.done(answer.reusable && !request.alone && !pending.isReadable() && request.body.done());
    }
    pending.skipBytes(pending.readableBytes());
    attempts.leave();
    client.finished(answer);
  }

  private void malformed() {
    drop();
    if (response == null) {
      fail(502);
    } else {
      over = true;
      client.abort();
    }
  }

  @Override
  public void answered(Head answer, boolean whole) {
    client.touch();
    try {
      begin(Response.http2(answer, request, whole));
    } catch (BadMessage e) {
      malformed();
      return;
    }
    Response current = response;
    if (whole && current != null) {
      complete(current);
    }
  }

  @Override
  public void ended(@Nullable Head last) {
    Response current = response;
    if (current == null) {
      malformed();
    } else {
      current.ends(last);
      complete(current);
    }
  }

  @Override
  public void refused() {
    target = null;
    if (over) {
      return;
    }
    if (response == null && (!bodySent || replay.whole())) {
      attempts.refused();
    } else {
      targetClosed(true);
    }
  }

  @Override
  public void targetClosed(boolean broken) {
    target = null;
    if (over) {
      return;
    }
    Response current = response;
    if (tunnel) {
      over = true;
      attempts.leave();
      client.tunnelClosed();
    } else if (current != null) {
      if (current.body.endsWithConnection() && !broken) {
        complete(current);
        client.flush();
      } else {
        over = true;
        attempts.leave();
        client.abort();
      }
    } else if (reused && mayRepeat()) {
      attempts.again();
    } else {
      tally.add(Count.TARGET_CONNECTION_ERRORS);
      boolean mayRepeat = mayRepeat();
      discard();
      attempts.broken(mayRepeat);
    }
  }

  private boolean mayRepeat() {
    return !pending.isReadable() && request.idempotent() && (!bodySent || replay.whole());
  }

  /** The client is gone, or must be given up. */
  public void cancel() {
    if (!over) {
      over = true;
      drop();
      discard();
    }
  }

  /** Nothing moved for the idle timeout. */
  public void timedOut() {
    boolean began = response != null;
    drop();
    if (began) {
      over = true;
      client.abort();
    } else {
      fail(504);
    }
  }

  private void drop() {
    Carrier from = target;
    target = null;
    if (from != null) {
      from.giveUp();
    }
    attempts.leave();
  }

  /** No target gives an answer. */
  void fail(int status) {
    if (!over) {
      over = true;
      client.answer(status);
    }
  }
}
