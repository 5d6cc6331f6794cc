! A heat equation whose ranks train a surrogate of their own solver while it runs: the example of
! ../cpp in Fortran. It ends with the same parameters.
!
!   mpirun -np 4 ./heat
program heat
  use mpi_f08
  use, intrinsic :: iso_fortran_env, only: real64, int64
  use dnn_train
  implicit none

  integer, parameter :: cells = 240, steps = 300
  integer :: rank, ranks, first, count, left, right, step, i
  real(real64), allocatable, target :: u(:), features(:, :), rates(:, :)
  integer(int64), allocatable, target :: ids(:)
  real(real64) :: loss, r2
  character(64) :: hash
  type(dnn_trainer) :: trainer

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  first = cells * rank / ranks
  count = cells * (rank + 1) / ranks - first
  left = modulo(rank - 1, ranks)
  right = modulo(rank + 1, ranks)
  allocate (u(0:count + 1), features(count, 3), rates(count, 1), ids(count))  ! u: with the neighbours' ends
  do i = 0, count - 1
    u(i + 1) = mod((first + i) * 37, 60) / 60.0_real64 + ((first + i) / 80) * 0.5_real64
  end do

  ! Without the argument status, an error ends the program.
  call trainer%open(MPI_COMM_WORLD, &
                    "hidden = [32]" // new_line('a') // &
                    "task = 'numbers'" // new_line('a') // &
                    "lr = 0.005" // new_line('a') // &
                    "batch-size = 256" // new_line('a') // &
                    "store = 20000")
  do step = 0, steps - 1
    call MPI_Sendrecv(u(count), 1, MPI_DOUBLE_PRECISION, right, 0, u(0), 1, MPI_DOUBLE_PRECISION, left, 0, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    call MPI_Sendrecv(u(1), 1, MPI_DOUBLE_PRECISION, left, 1, u(count + 1), 1, MPI_DOUBLE_PRECISION, right, 1, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    features(:, 1) = u(0:count - 1)
    features(:, 2) = u(1:count)
    features(:, 3) = u(2:count + 1)
    do i = 1, count
      rates(i, 1) = (1 + u(i) * u(i)) * (u(i - 1) - 2 * u(i) + u(i + 1))
      ids(i) = int(step, int64) * cells + first + i - 1
    end do
    call trainer%put(features, targets=rates, ids=ids)
    call trainer%step()
    if (step + 1 < steps) u(1:count) = u(1:count) + 0.0005_real64 * rates(:, 1)
  end do

  call trainer%put(features, targets=rates, ids=ids)
  call trainer%evaluate(loss)
  call trainer%figure("r2", r2)
  call trainer%hash(hash)
  if (rank == 0) then
    print '(a, f6.4)', "R2 of the surrogate on the last state: ", r2
    print '(a)', hash
  end if
  call trainer%close()
  call MPI_Finalize()
end program
