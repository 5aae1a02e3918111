package dev.muelle.services.cloudwatchlogs.packs;

/**
 * An event of a stream.
 *
 * @param time epoch milliseconds
 * @param ingested epoch milliseconds; in the order of sequence numbers it never runs backwards
 * @param sequence no other event of the stream has it, or ever will
 */
public record Event(long time, long ingested, long sequence, String message) {

  public Mark mark() {
    return new Mark(time, sequence);
  }
}
