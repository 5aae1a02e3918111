package dev.muelle.services.ecs.agent;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Lets only so many begin at a time, so that those who have begun come to their end before others
 * begin: of a thousand tasks the first ones run soon, instead of all at last. Nobody is blocked:
 * who has to wait is told when its turn has come.
 */
final class Turns {

  private final int most;
  private final Consumer<String> told;
  private final Set<String> having = new HashSet<>();
  private final LinkedHashSet<String> waiting = new LinkedHashSet<>();

  /**
   * Nobody has begun.
   *
   * @param told who it is whose turn has come; it must {@link #pass} it on whatever it does
   */
  Turns(int most, Consumer<String> told) {
    this.most = most;
    this.told = told;
  }

  /** Whether it is this one's turn; if not, it waits from now on. */
  synchronized boolean take(String id) {
    if (having.contains(id)) {
      return true;
    }
    if (having.size() == most) {
      waiting.add(id);
      return false;
    }
    waiting.remove(id);
    return having.add(id);
  }

  /** Gives up the turn, if it has one, for the one that waits longest. */
  void pass(String id) {
    String next;
    synchronized (this) {
      if (!having.remove(id) || waiting.isEmpty()) {
        return;
      }
      next = waiting.removeFirst();
      having.add(next);
    }
    told.accept(next);
  }
}
