package dev.muelle.balancer.targets;

import dev.muelle.balancer.http.Head;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** What carries a request to its target: a connection of its own, or a stream of a shared one. */
public interface Carrier {

  /** Is told what comes back. */
  interface Sender {

    /**
     * An answer began, or a hint of one (1xx).
     *
     * @param whole whether nothing follows
     */
    void answered(Head head, boolean whole);

    /** Bytes came: of the body, or of a connection that frames nothing itself. */
    void received(ByteBuf in);

    /** No more came for now. */
    void receivedAll();

    /** The answer is whole: only from who frames bodies itself. */
    void ended(@Nullable Head trailers);

    /** More can be written. */
    void targetWritable();

    /** It ended before the answer did. */
    void targetClosed(boolean broken);

    /** The target has not looked at the request, and says so: it may be sent anew. */
    void refused();
  }

  /**
   * Sends a request's head.
   *
   * @param head in HTTP/1.1's form
   * @param whole whether no body follows
   */
  void ask(Sender sender, byte[] head, boolean whole);

  boolean active();

  /** Whether it takes more of the body now. */
  boolean writable();

  /** Whether bodies are written without HTTP/1.1's framing, and ended by {@link #end}. */
  boolean framesItself();

  /** Writes a part of the body. */
  void write(ByteBuf part);

  void end(@Nullable Head trailers);

  /** Whether what comes is wanted now. */
  void reading(boolean wanted);

  void flush();

  /**
   * The exchange is over.
   *
   * @param clean whether both sides have said all that they had to say
   */
  void done(boolean clean);

  /** The exchange is given up. */
  void giveUp();
}
