package dev.muelle.services.ecs;

import dev.muelle.loop.Timers;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;

/**
 * One life of the server: everything that it does passes through here, counted, and from a chosen
 * step on nothing passes any more, as after {@code kill -9}.
 */
public final class Life {

  /** What code sees when it is dead; nobody may catch it, nothing may come of it. */
  public static final class Killed extends Error {
    private static final long serialVersionUID = 1L;

    Killed() {
      super("killed", null, false, false);
    }
  }

  private long steps;
  private long last = Long.MAX_VALUE;
  private boolean dead;

  /** Dies when it has taken this many steps more; half a step is one done but not returned. */
  public synchronized void endAfter(int halfSteps) {
    last = steps + halfSteps;
  }

  public synchronized void end() {
    dead = true;
  }

  public synchronized boolean over() {
    return dead;
  }

  /** Every call is two half steps: before it happens, and when it returns. */
  synchronized void step() {
    if (++steps >= last) {
      dead = true;
    }
    check();
  }

  synchronized void check() {
    if (dead) {
      throw new Killed();
    }
  }

  /** The thing as this life reaches it. */
  public <T> T guard(Class<T> contract, T thing) {
    return contract.cast(
        Proxy.newProxyInstance(
            contract.getClassLoader(),
            new Class<?>[] {contract},
            (proxy, method, arguments) -> call(thing, method, arguments)));
  }

  @SuppressWarnings("unchecked")
  private Object call(Object thing, Method method, Object[] arguments) throws Throwable {
    step();
    if (arguments != null) {
      for (int i = 0; i < arguments.length; i++) {
        if (method.getParameterTypes()[i] == Consumer.class && method.getName().equals("watch")) {
          Consumer<Object> listener = (Consumer<Object>) arguments[i];
          arguments[i] = (Consumer<Object>) value -> alive(() -> listener.accept(value));
        }
      }
    }
    Object result;
    try {
      result = method.invoke(thing, arguments);
    } catch (InvocationTargetException e) {
      step();
      throw e.getCause();
    }
    step();
    return result;
  }

  /** Time as this life knows it. */
  public Timers guard(Timers timers) {
    return new Timers() {
      @Override
      public Instant instant() {
        return timers.instant();
      }

      @Override
      public Cancellable after(Duration delay, Runnable work) {
        check();
        return timers.after(delay, () -> alive(work));
      }

      @Override
      public void sleep(Duration duration) {
        check();
        timers.sleep(duration);
        check();
      }

      @Override
      public Timers machine() {
        return timers.machine().equals(timers) ? this : guard(timers.machine());
      }

      @Override
      public Instant fromMachine(Instant at) {
        return timers.fromMachine(at);
      }

      @Override
      public Instant toMachine(Instant at) {
        return timers.toMachine(at);
      }

      @Override
      public void close() {}
    };
  }

  private void alive(Runnable work) {
    try {
      check();
      work.run();
    } catch (Killed e) {
      end();
    }
  }
}
