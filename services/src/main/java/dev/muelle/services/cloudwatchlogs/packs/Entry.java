package dev.muelle.services.cloudwatchlogs.packs;

import dev.muelle.store.Codec;
import java.nio.ByteBuffer;

/**
 * What is known of a pack without opening it. Its events are between its first and its last one,
 * both included.
 *
 * @param firstTime epoch milliseconds
 * @param firstIngested epoch milliseconds
 * @param bytes what its events count for
 * @param raw how many bytes its texts have
 * @param sketch of its texts
 */
record Entry(
    long firstTime,
    long firstIngested,
    long firstSequence,
    long lastTime,
    long lastIngested,
    long lastSequence,
    int count,
    long bytes,
    int raw,
    Sketch sketch) {

  private static final byte FORM = 1;
  private static final int FIXED = 1 + 7 * Long.BYTES + 2 * Integer.BYTES;

  static final Codec<Entry> CODEC =
      new Codec<>() {
        @Override
        public byte[] encode(Entry entry) {
          return entry.encoded();
        }

        @Override
        public Entry decode(byte[] bytes) {
          return decoded(bytes);
        }
      };

  Mark first() {
    return new Mark(firstTime, firstSequence);
  }

  Mark last() {
    return new Mark(lastTime, lastSequence);
  }

  private byte[] encoded() {
    byte[] bits = sketch.bytes();
    return ByteBuffer.allocate(FIXED + bits.length)
        .put(FORM)
        .putLong(firstTime)
        .putLong(firstIngested)
        .putLong(firstSequence)
        .putLong(lastTime)
        .putLong(lastIngested)
        .putLong(lastSequence)
        .putLong(bytes)
        .putInt(count)
        .putInt(raw)
        .put(bits)
        .array();
  }

  private static Entry decoded(byte[] stored) {
    ByteBuffer in = ByteBuffer.wrap(stored);
    byte form = in.get();
    if (form != FORM) {
      throw new IllegalStateException("a pack of logs is of the unknown form " + form);
    }
    long firstTime = in.getLong();
    long firstIngested = in.getLong();
    long firstSequence = in.getLong();
    long lastTime = in.getLong();
    long lastIngested = in.getLong();
    long lastSequence = in.getLong();
    long bytes = in.getLong();
    int count = in.getInt();
    int raw = in.getInt();
    return new Entry(
        firstTime,
        firstIngested,
        firstSequence,
        lastTime,
        lastIngested,
        lastSequence,
        count,
        bytes,
        raw,
        Sketch.stored(stored, FIXED));
  }
}
