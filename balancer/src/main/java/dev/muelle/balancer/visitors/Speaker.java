package dev.muelle.balancer.visitors;

/** Who speaks HTTP with a visitor, in one of its versions. Called on the event loop. */
public interface Speaker {

  /** The endpoint goes away: what is in flight may end. */
  void retire();

  /** Looked at every second, and sooner when the idle timeout is shorter. */
  void watch();
}
