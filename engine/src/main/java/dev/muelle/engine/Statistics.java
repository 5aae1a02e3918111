package dev.muelle.engine;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What a container used from its start until now, as the kernel counts it.
 *
 * @param memory in bytes
 * @param processes those that there are now
 * @param devices what was read and written; empty where the kernel does not count it
 * @param networks by interface, without the loopback
 */
public record Statistics(
    Instant read,
    Cpu cpu,
    Memory memory,
    int processes,
    List<Device> devices,
    Map<String, Traffic> networks) {

  /**
   * CPU time, in nanoseconds.
   *
   * @param perCpu of each CPU; empty where the kernel does not count it
   * @param system what all of the machine's CPUs did in the time since its start
   * @param online how many CPUs there are
   * @param periods in which the container's own limit was looked at
   */
  public record Cpu(
      long total,
      long user,
      long kernel,
      List<Long> perCpu,
      long system,
      int online,
      long periods,
      long throttledPeriods,
      long throttled) {}

  /**
   * @param usage with the page cache
   * @param limit the lowest that there is: the container's, its sandbox's, or the machine's memory
   * @param details the kernel's own, by its own names
   */
  public record Memory(long usage, long peak, long limit, Map<String, Long> details) {}

  /**
   * Of one block device.
   *
   * @param readBytes of data
   * @param reads operations
   */
  public record Device(
      int major, int minor, long readBytes, long writtenBytes, long reads, long writes) {}

  /** Of one interface. */
  public record Traffic(
      long receivedBytes,
      long receivedPackets,
      long receiveErrors,
      long receiveDropped,
      long sentBytes,
      long sentPackets,
      long sendErrors,
      long sendDropped) {}
}
