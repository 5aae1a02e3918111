package dev.muelle.balancer.routing;

/** A connection to a target, as its {@link MemberState} knows it. Both from any thread. */
public interface TargetLink {

  /** Ends when nothing is under way on it. */
  void closeIfIdle();

  /** Ends now. */
  void abort();
}
