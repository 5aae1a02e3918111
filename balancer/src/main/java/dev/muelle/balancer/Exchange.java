package dev.muelle.balancer;

import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Node;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way to a target and the answer on its way back, both streamed.
 *
 * <p>What may be tried again: connecting failed (nothing was sent) goes on to another target; a
 * kept connection that the target closed before any byte of an answer is replaced by a new one if
 * the request is idempotent and all that was sent of it is still at hand.
 */
@SuppressWarnings("ReferenceEquality") // the very same carrier is meant
final class Exchange implements Carrier.Sender {

  private static final int MAX_ATTEMPTS = 4;
  private static final int MAX_REPLAY = 64 * 1024;

  private final Client client;
  private final Worker worker;
  private final BalancerState balancer;
  private final GroupState group;
  private final Request request;
  private final @Nullable String zone;
  private final @Nullable Ledger ledger;
  private final byte[] head;
  private final List<MemberState> tried = new ArrayList<>(0);

  private @Nullable MemberState member;
  private @Nullable Carrier target;
  private boolean reused;
  private int attempts;
  private final boolean secure;
  private final List<String> cookies;
  private final @Nullable Sticky sticky;
  private final boolean bodiless;
  private boolean bodySent;
  private boolean bodyEnded;
  private @Nullable Head trailers;
  private int failure = 503;
  private long sentAt;
  private @Nullable ByteBuf replay;

  private ByteBuf pending = Unpooled.EMPTY_BUFFER;
  private @Nullable Response response;
  private boolean tunnel;
  private boolean over;

  Exchange(Client client, Worker worker, Request request, Verdict.Forwarded to) {
    this.client = client;
    this.worker = worker;
    this.balancer = to.balancer();
    this.group = to.group();
    this.request = request;
    this.zone = to.zone();
    this.ledger = request.ledger;
    this.head = to.head();
    this.secure = to.secure();
    this.cookies = to.cookies();
    this.bodiless = request.body.done();
    this.replay = bodiless ? Unpooled.EMPTY_BUFFER : Unpooled.buffer(0);
    Choice choice = group.choice();
    Duration kept = choice.sticky();
    this.sticky =
        kept == null
            ? null
            : choice.cookie() == null
                ? Sticky.target(kept)
                : Sticky.application(kept, choice.cookie());
  }

  void start() {
    group.metrics.request();
    attempt(true);
  }

  private void attempt(boolean mayReuse) {
    MemberState chosen = ++attempts > MAX_ATTEMPTS ? null : pick();
    if (chosen == null) {
      fail(failure);
      return;
    }
    member = chosen;
    TargetConnection kept =
        mayReuse && request.upgrade == null && !group.version.http2()
            ? worker.take(chosen, !request.idempotent())
            : null;
    if (kept != null) {
      reused = true;
      use(kept);
      return;
    }
    connect(chosen);
  }

  private @Nullable MemberState pick() {
    String cookie = sticky == null ? null : sticky.brought(request);
    return group.pick(tried, cookie, zone, worker.random, worker.clock.instant());
  }

  /** What the client shall bring next time. */
  private List<String> cookies(Head answer) {
    MemberState chosen = member;
    if (sticky == null || chosen == null) {
      return cookies;
    }
    Instant now = worker.clock.instant();
    String mark = GroupState.mark(chosen);
    if (!sticky.begins(answer) && !Sticky.means(sticky.brought(request), mark, now)) {
      return cookies;
    }
    List<String> all = new ArrayList<>(cookies);
    all.addAll(sticky.set(mark, secure, now));
    return all;
  }

  private void connect(MemberState chosen) {
    reused = false;
    Node node = balancer.nodeFor(chosen);
    if (node == null) {
      leave();
      fail(503);
      return;
    }
    if (group.version.http2()) {
      worker.http2(node, chosen).open((stream, timedOut) -> connected(chosen, stream, timedOut));
    } else {
      worker.connect(
          node,
          chosen.target.address(),
          chosen.target.port(),
          TargetTls.of(group.secure, false),
          (channel, timedOut) ->
              connected(chosen, channel == null ? null : worker.http1(chosen, channel), timedOut));
    }
  }

  private void connected(MemberState chosen, @Nullable Carrier carrier, boolean timedOut) {
    if (carrier != null) {
      if (over) {
        carrier.done(true);
      } else {
        use(carrier);
      }
      return;
    }
    if (over) {
      return;
    }
    group.metrics.connectionError();
    did(true);
    if (ledger != null) {
      ledger.tried(chosen);
    }
    leave();
    tried.add(chosen);
    failure = timedOut ? 504 : 502;
    attempt(true);
  }

  private void use(Carrier carrier) {
    target = carrier;
    sentAt = worker.nanos();
    MemberState asked = member;
    if (ledger != null && asked != null) {
      ledger.asked(asked);
    }
    carrier.ask(this, head, bodiless);
    ByteBuf again = replay;
    if (again != null && again.isReadable()) {
      carrier.write(again.copy());
    }
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
  boolean wantsBody() {
    Carrier to = target;
    return to != null && (tunnel || !request.body.done()) && to.writable();
  }

  boolean requestDone() {
    return request.body.done();
  }

  boolean tunnelling() {
    return tunnel;
  }

  boolean answering() {
    return response != null;
  }

  /**
   * Passes on what the client sent of the body.
   *
   * @throws BadMessage if its chunks are malformed
   */
  void send(ByteBuf in) {
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
    keep(part);
    to.write(part);
  }

  /** Passes on a part of a body that came without HTTP/1.1's framing. */
  void data(ByteBuf payload) {
    Carrier to = target;
    if (to == null || !payload.isReadable()) {
      payload.release();
    } else {
      send(to, request.chunked && !to.framesItself() ? Chunks.of(payload) : payload);
    }
  }

  /** Such a body is whole. */
  void end(@Nullable Head last) {
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

  private void keep(ByteBuf part) {
    ByteBuf kept = replay;
    if (kept == null) {
      return;
    }
    if (response != null
        || !request.idempotent()
        || kept.readableBytes() + part.readableBytes() > MAX_REPLAY) {
      replay = null;
    } else {
      kept.writeBytes(part, part.readerIndex(), part.readableBytes());
    }
  }

  @Override
  public void targetWritable() {
    client.targetReady();
  }

  void clientWritable(boolean writable) {
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
    replay = null;
    tunnel = switches;
    group.metrics.answered(answer.status, worker.nanos() - sentAt);
    if (ledger != null) {
      ledger.targetAnswered(answer.status);
    }
    balancer.metrics.answered(answer.status, worker.nanos() - sentAt);
    answer.cookies = cookies(answer.head);
    did(answer.status >= 500);
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
      from.done(answer.reusable && !pending.isReadable() && request.body.done());
    }
    pending.skipBytes(pending.readableBytes());
    leave();
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
    if (response == null && (!bodySent || replay != null)) {
      failure = 502;
      leave();
      attempt(false);
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
      leave();
      client.tunnelClosed();
    } else if (current != null) {
      if (current.body.endsWithConnection() && !broken) {
        complete(current);
        client.flush();
      } else {
        over = true;
        leave();
        client.abort();
      }
    } else if (reused && !pending.isReadable() && mayRepeat()) {
      retry();
    } else {
      discard();
      group.metrics.connectionError();
      did(true);
      leave();
      fail(502);
    }
  }

  private boolean mayRepeat() {
    return request.idempotent() && (!bodySent || replay != null);
  }

  /** Once more, on a new connection: to the same target if it still takes requests. */
  private void retry() {
    MemberState same = member;
    leave();
    if (same != null && same.enter()) {
      member = same;
      connect(same);
    } else {
      attempt(false);
    }
  }

  /** The client is gone, or must be given up. */
  void cancel() {
    if (!over) {
      over = true;
      drop();
      discard();
    }
  }

  /** Nothing moved for the idle timeout. */
  void timedOut() {
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
    leave();
  }

  private void did(boolean failed) {
    MemberState by = member;
    if (by != null) {
      by.did(failed);
    }
  }

  private void leave() {
    MemberState left = member;
    member = null;
    if (left != null) {
      left.leave(worker.clock.instant());
    }
  }

  private void fail(int status) {
    if (!over) {
      over = true;
      client.answer(status);
    }
  }
}
