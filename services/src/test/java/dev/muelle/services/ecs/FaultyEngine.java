package dev.muelle.services.ecs;

import dev.muelle.engine.Engine;
import dev.muelle.engine.EngineException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Random;
import java.util.Set;

/**
 * An engine of which a share of what it is asked to do comes to nothing: sometimes it says why, as
 * its contract has it, and sometimes it fails as nobody expects, as with a disk that has errors.
 */
final class FaultyEngine {

  private static final Set<String> EXPECTED = Set.of("pull", "startContainer");
  private static final Set<String> UNEXPECTED =
      Set.of("pull", "createSandbox", "startContainer", "stopContainer", "removeSandbox");

  private final Random random;
  private volatile int percent;

  FaultyEngine(Random random) {
    this.random = random;
  }

  /** From now on so many of a hundred calls fail. */
  void fail(int percentOfCalls) {
    percent = percentOfCalls;
  }

  Engine over(Engine engine) {
    return (Engine)
        Proxy.newProxyInstance(
            Engine.class.getClassLoader(),
            new Class<?>[] {Engine.class},
            (proxy, method, arguments) -> {
              maybeFail(method.getName());
              try {
                return method.invoke(engine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private void maybeFail(String call) {
    if (percent == 0 || !UNEXPECTED.contains(call) || random.nextInt(100) >= percent) {
      return;
    }
    if (EXPECTED.contains(call) && random.nextBoolean()) {
      throw new EngineException("CannotStartContainerError: the engine fails");
    }
    throw new UncheckedIOException(new IOException("the engine fails in " + call));
  }
}
