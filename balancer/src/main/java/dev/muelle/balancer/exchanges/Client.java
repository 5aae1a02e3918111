package dev.muelle.balancer.exchanges;

import dev.muelle.balancer.messages.Response;
import io.netty.buffer.ByteBuf;

/** The client's side of an exchange: who asked, and is answered. Called on the event loop. */
public interface Client {

  /** The target can take more of the request's body: {@link Exchange#wantsBody()}. */
  void targetReady();

  /** Something moved: the idle timeout begins anew. */
  void touch();

  /** The answer begins. */
  void begin(Response answer);

  /** Takes from {@code in} what belongs to the answer's body, of which not all is there yet. */
  void pass(Response answer, ByteBuf in);

  /** The answer is whole, and the exchange is over. */
  void finished(Response answer);

  /** The exchange ends without an answer of a target's: the load balancer says this itself. */
  void answer(int status);

  /** The exchange ends in the middle of an answer: the client must see that it is not whole. */
  void abort();

  /** Bytes from a target that has switched protocols. */
  void tunnel(ByteBuf in);

  /** The target closed the tunnel. */
  void tunnelClosed();

  void flush();
}
