package dev.muelle.wire;

import java.io.IOException;
import software.amazon.awssdk.core.SdkPojo;

/**
 * The answer of an operation that goes on, as events of the type <a
 * href="https://smithy.io/2.0/aws/amazon-eventstream.html">vnd.amazon.eventstream</a>. The SDK's
 * synchronous interfaces have no such operations, so each is mounted by name: {@link
 * Mounts#mountStream}.
 */
@FunctionalInterface
public interface EventStream {

  /**
   * Sends events until there are no more; runs once, after the head of the answer went out. An
   * exception of the SDK's is the last event.
   *
   * @throws IOException when nobody listens any more
   */
  void run(Events to) throws IOException;

  /** Where events go, for one thread. */
  @FunctionalInterface
  interface Events {

    /**
     * Sends an event at once.
     *
     * @param member of the union that the SDK has for the answer, for example {@code sessionUpdate}
     */
    void send(String member, SdkPojo event) throws IOException;
  }
}
